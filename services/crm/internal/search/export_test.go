package search

// Settings lets tests explain statements as searches run them.
const Settings = settings
