"""Exact conversion factors between the units people write and SI; giga is 1e9, gibi is 2**30."""

KILO = 1e3
MEGA = 1e6
GIGA = 1e9
TERA = 1e12
MILLI = 1e-3
MICRO = 1e-6
PICO = 1e-12
KIBI = 2.0**10
MEBI = 2.0**20
GIBI = 2.0**30
BITS_PER_BYTE = 8.0
SECONDS_PER_HOUR = 3600.0
HOURS_PER_YEAR = 8760.0
MM2_PER_CM2 = 100.0
