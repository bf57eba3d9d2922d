"""What readers see: the contract as SQL, the writer, the releases and the explorer."""
