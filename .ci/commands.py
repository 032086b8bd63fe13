"""Prints the commands of a Markdown page, one a line: what starts with `$ ` in its blocks marked `console`."""

import re
import sys
from pathlib import Path

for block in re.findall(r"^```console\n(.*?)^```", Path(sys.argv[1]).read_text(), re.MULTILINE | re.DOTALL):
    for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE):
        print(command.replace("\\\n", " "))
