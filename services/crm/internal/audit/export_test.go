package audit

// Statements that tests explain as they are.
const (
	ReadySQL   = readySQL
	BetweenSQL = betweenSQL
)
