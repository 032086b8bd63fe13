"""Figures: for each, a function that works out its data (numpy alone) and one that draws them (matplotlib)."""
