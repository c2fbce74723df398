package search

// Settings lets tests explain statements as searches run them.
const Settings = settings

// Words lets benchmarks fill in the words of names without the room that writes customers.
var Words = words
