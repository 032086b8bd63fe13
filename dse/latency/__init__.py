"""Latency of one device and of a group: operators, collectives, schedule, phases."""
