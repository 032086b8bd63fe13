"""Exact answers: the model compiled over grids of designs, and their Pareto fronts."""
