"""Techniques: what may be moved under what. One file each; `registry` finds them."""
