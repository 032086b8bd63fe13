"""Fits the constants of a latency style to a folder of measured tables; `python -m dse.calibration FOLDER`."""
