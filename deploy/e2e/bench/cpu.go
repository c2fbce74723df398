package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the kernel's figures; 100 a second on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuUse is the processor time of each program. Unlike throughput, it tells on a busy machine what a call costs.
type cpuUse struct{ postgres, crm, nats, bench time.Duration }

func (s *stack) cpu() cpuUse {
	return cpuUse{
		cpuOfTree(s.postgres.Process().PID()), cpuOfTree(s.crm.Process().PID()), cpuOfTree(s.nats.Process().PID()), cpuOf(os.Getpid()),
	}
}

// per divides what was used since an earlier moment among calls.
func (u cpuUse) per(before cpuUse, calls float64) string {
	share := func(now, before time.Duration) time.Duration {
		return time.Duration(float64(now-before) / max(1, calls))
	}
	parts := []time.Duration{
		share(u.postgres, before.postgres), share(u.crm, before.crm), share(u.nats, before.nats), share(u.bench, before.bench),
	}
	total := time.Duration(0)
	for i, part := range parts {
		parts[i] = part.Round(time.Microsecond)
		total += parts[i]
	}
	return fmt.Sprintf("%s of the processor: Postgres %s, crm %s, NATS %s, bench %s", total, parts[0], parts[1], parts[2], parts[3])
}

// cpuOfTree is the time of a process and its children; those that have ended meanwhile do not count.
func cpuOfTree(root int) time.Duration {
	used := cpuOf(root)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return used
	}
	for _, path := range stats {
		if fields := statFields(path); len(fields) > 1 && fields[1] == strconv.Itoa(root) {
			used += ticks(fields)
		}
	}
	return used
}

func cpuOf(pid int) time.Duration { return ticks(statFields(fmt.Sprintf("/proc/%d/stat", pid))) }

// statFields are the fields of proc(5) from the third on, behind the name, which may hold anything.
func statFields(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // it has ended
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

// ticks adds the time in the process and in the kernel for it.
func ticks(fields []string) time.Duration {
	const user, system = 11, 12
	if len(fields) <= system {
		return 0
	}
	inUser, _ := strconv.ParseInt(fields[user], 10, 64) // the kernel writes numbers
	inKernel, _ := strconv.ParseInt(fields[system], 10, 64)
	return time.Duration(inUser+inKernel) * clockTick
}
