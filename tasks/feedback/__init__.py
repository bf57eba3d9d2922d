"""What came of the recommendations: exposures and events, read, judged and summed by listener."""
