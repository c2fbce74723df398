package process

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// tailBytesMax bounds how much of a log is read for its tail.
const tailBytesMax = 64 << 10

// logBytesMax is the size at which a log is set aside at the next start, in place of the one before.
const logBytesMax = 32 << 20

// rotate keeps the logs of a long-lived data folder bounded.
func rotate(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() < logBytesMax {
		return err
	}
	return os.Rename(path, path+".old")
}

// tail returns the last lines of the file after the offset from; an unreadable log is an empty one,
// because the tail only decorates another error.
func tail(path string, from int64, lines int) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	from = max(from, end-tailBytesMax)
	text, err := io.ReadAll(io.NewSectionReader(f, from, end-from))
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return "  " + strings.Join(all, "\n  ")
}
