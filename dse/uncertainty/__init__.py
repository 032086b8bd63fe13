"""How sure an answer is: the intervals of the assumptions carried to it, and which of them decide."""
