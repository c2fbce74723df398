// Package importer loads files into Tandem by a mapping: rows stream from the files in bounded memory, become records,
// travel in batches to the operational service, and what it answers is kept in order.
//
// How one file is loaded, and why nothing is lost or doubled:
//
//  1. produce reads rows and groups their records into numbered batches;
//  2. deliver sends several batches at a time and sends a batch again while the service can't be reached: every write is
//     an upsert by external key, so a batch that did arrive changes nothing the second time;
//  3. settle takes the answers in the order of the file, writes rejected rows to the error file, counts, and moves the
//     checkpoint behind the batch. A crash between any two steps only repeats batches.
//
// Records with the same key never travel at the same time (see gate), and transactions of one account take one lane, so
// that among them the first in the file always comes first, whatever is in flight.
package importer

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"tandem.bank/services/cli/internal/mapping"
)

const (
	// BatchRowsMost is the service's limit on the rows of a batch.
	BatchRowsMost = 5000
	inFlightMost  = 64

	// batchBytesMost keeps a request below gRPC's usual limit of 4 MiB: a batch is closed once it is above half of it, and
	// one row is at most csvfile.BytesMax.
	batchBytesMost = 2 << 20
	// passedMost closes a batch after so many rows that became nothing, so that the checkpoint moves on.
	passedMost = 50_000
)

// Config says what to import and how.
type Config struct {
	// Mapping to read the files by.
	Mapping *mapping.Mapping
	// Paths are files, and folders whose files are taken (without those in subfolders).
	Paths []string
	// Conn leads to the operational service; nil when Offline.
	Conn grpc.ClientConnInterface
	// BatchRows is the number of rows of a batch, 1 to BatchRowsMost; of transactions, about the number in a bundle.
	BatchRows int
	// InFlight is the number of batches that travel at the same time, at least 1; of transactions, the number of streams,
	// up to 4.
	InFlight int
	// ErrorsDir takes the files of rejected rows.
	ErrorsDir string
	// StateDir takes the checkpoint.
	StateDir string
	// RetryFor is how long an unreachable service is tried again before the import gives up.
	RetryFor time.Duration
	// AnswerTimeout is how long one batch may take; 0 means a minute.
	AnswerTimeout time.Duration
	// DryRun has the service check the rows without writing.
	DryRun bool
	// Offline checks the rows without any service.
	Offline bool
	// Restart forgets the checkpoint of an interrupted import.
	Restart bool
	// Progress hears how it goes.
	Progress Progress
}

// Validate checks the configuration.
func (c Config) Validate() error {
	var errs []error
	complain := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	complain(c.Mapping == nil, "mapping: must be given")
	complain(len(c.Paths) == 0, "paths: at least one file or folder must be given")
	complain(c.Conn == nil && !c.Offline, "connection: must be given unless offline")
	complain(c.BatchRows < 1 || c.BatchRows > BatchRowsMost, "batch rows: %d is not between 1 and %d", c.BatchRows, BatchRowsMost)
	complain(c.InFlight < 1 || c.InFlight > inFlightMost, "batches in flight: %d is not between 1 and %d", c.InFlight, inFlightMost)
	complain(c.ErrorsDir == "", "errors folder: must be given")
	complain(c.StateDir == "" && !c.checksOnly(), "state folder: must be given")
	complain(c.RetryFor < 0, "retry time: can't be negative")
	complain(c.Progress == nil, "progress: must be given")
	return errors.Join(errs...)
}

// checksOnly says that nothing is written to the service, so that there is nothing to go on with later.
func (c Config) checksOnly() bool { return c.DryRun || c.Offline }

func (c Config) answerTimeout() time.Duration {
	if c.AnswerTimeout > 0 {
		return c.AnswerTimeout
	}
	return time.Minute
}
