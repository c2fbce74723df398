package program

import (
	"os"
	"runtime"
)

// headroomBytes count as in use, and are never touched, so that they take no memory: a heap that is almost empty is left alone until
// it has twice as much. A collection takes the processors from the calls for a while: one in a second is felt by the slowest
// hundredth of them, one in several seconds is not.
const headroomBytes = 256 << 20

// withHeadroom does the work of a service. Whoever tunes the collector by GOGC or GOMEMLIMIT has it as Go has it.
func withHeadroom(work func() error) error {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return work()
	}
	headroom := make([]byte, headroomBytes)
	defer runtime.KeepAlive(headroom)
	return work()
}
