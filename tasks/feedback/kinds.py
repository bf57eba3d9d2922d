"""The words that an event's kind can be."""

EVENT_KINDS = ("click", "play", "skip", "save", "return", "subscribe", "cancel")
