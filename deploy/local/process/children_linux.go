package process

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// childrenOf lists the direct children of a process. A process that ends while we look is left out.
func childrenOf(parent int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var children []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if _, owner, ok := state(pid); ok && owner == parent {
			children = append(children, pid)
		}
	}
	return children
}

// waitGone returns when the killed processes have let go of all they held. The kernel takes no longer than
// a moment for that; the limit is for a disk that hangs.
func waitGone(pids []int) {
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for {
			// A zombie holds nothing; somebody else's init collects it, sooner or later.
			if letter, _, ok := state(pid); !ok || letter == 'Z' {
				break
			}
			select {
			case <-tick.C:
			case <-deadline:
				return
			}
		}
	}
}

// state is the state letter and the parent of a process; false when there is none.
func state(pid int) (letter byte, parent int, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, false
	}
	// pid (name) state ppid …; the name may hold spaces and brackets, so count from the last bracket.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent, err == nil
}
