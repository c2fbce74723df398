package migrations

import "strings"

// questionMark begins each question in the comment of a view.
const questionMark = "\n\nQuestion: "

// Question is an example of what a view answers.
type Question struct {
	// Text as a person asks it.
	Text string
	// SQL that answers it, for the user bi.
	SQL string
}

// ReadComment takes the comment of a view apart: what it shows, and its questions.
func ReadComment(comment string) (text string, questions []Question) {
	parts := strings.Split(comment, questionMark)
	for _, part := range parts[1:] {
		question, sql, _ := strings.Cut(part, "\n")
		questions = append(questions, Question{Text: question, SQL: sql})
	}
	return parts[0], questions
}
