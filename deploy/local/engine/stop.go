package engine

import (
	"context"

	"tandem.bank/deploy/local/process"
)

// stopChild ends a running child cleanly and forgets it.
func stopChild(ctx context.Context, child **process.Process) error {
	if *child == nil {
		return nil
	}
	err := (*child).Stop(ctx)
	*child = nil
	return err
}

// killChild ends a running child as kill -9 does and forgets it.
func killChild(child **process.Process) {
	if *child == nil {
		return
	}
	(*child).Kill()
	*child = nil
}
