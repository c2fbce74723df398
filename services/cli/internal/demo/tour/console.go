package tour

import (
	"fmt"
	"io"
	"time"
)

// quietInterval is how often a line about the state of a phase is printed where lines can't be written over.
const quietInterval = 5 * time.Second

// console tells people how the tour goes.
type console struct {
	out   io.Writer
	live  bool
	said  time.Time
	dirty bool // the terminal's last line holds a state that is to be wiped
}

func newConsole(out io.Writer, live bool) *console { return &console{out: out, live: live} }

// phase announces a step, does it and says how long it took.
func (c *console) phase(name string, work func() error) (time.Duration, error) {
	c.print("%s", name)
	c.said = time.Now()
	begun := time.Now()
	err := work()
	took := time.Since(begun)
	if err == nil {
		c.print("      done in %s", seconds(took))
	}
	return took, err
}

// note prints a line that stays.
func (c *console) note(format string, args ...any) { c.print("      "+format, args...) }

// state says where the phase stands: over the line before on a terminal, now and then elsewhere.
func (c *console) state(format string, args ...any) {
	text := fmt.Sprintf("      "+format, args...)
	switch {
	case c.live:
		c.write("\r\033[K" + text)
		c.dirty = true
	case time.Since(c.said) >= quietInterval:
		c.said = time.Now()
		c.write(text + "\n")
	}
}

func (c *console) print(format string, args ...any) {
	if c.dirty {
		c.write("\r\033[K")
		c.dirty = false
	}
	c.write(fmt.Sprintf(format, args...) + "\n")
}

// write gives up silently: progress that can't be shown must not stop the work.
func (c *console) write(text string) { _, _ = io.WriteString(c.out, text) }
