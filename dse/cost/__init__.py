"""What a device costs to make and to run: area, yield, bill, energy, ownership."""
