"""One file per source; each yields drawings from unpacked packages."""
