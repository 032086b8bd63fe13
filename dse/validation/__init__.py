"""Published and measured figures beside ours, with the error, the tolerance and how independent they are."""
