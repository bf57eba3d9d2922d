"""Content: what a track is (artist, tags, year, sound), as exact nearest neighbours.

features (one fitted transformer) → learning (how much each feature says about listening)
→ embedding (one unit vector per track) → search (exact top-k) → edges (the neighbour table).
"""
