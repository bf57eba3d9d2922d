"""What a release knows of artists, and of which track may follow another one."""
