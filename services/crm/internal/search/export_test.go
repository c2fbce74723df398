package search

// Settings lets tests explain statements as searches run them.
const Settings = settings

// Document lets benchmarks fill in the words of names without the room that writes customers.
var Document = document
