// Package settings shows what a service was configured with, without its secrets.
package settings

import (
	"fmt"
	"io"
	"net/url"
	"reflect"
)

// Names lists the environment variables of a configuration struct with kong's env tags, one a line.
func Names(out io.Writer, config any) {
	each(config, func(name string, _ any) { _, _ = fmt.Fprintln(out, name) })
}

// Show lists the variables with their values. Secrets only ever come from files, so a value shows at most a file's
// name; a password that someone put into a URL is hidden.
func Show(out io.Writer, config any) {
	each(config, func(name string, value any) {
		text := fmt.Sprint(value)
		if u, err := url.Parse(text); err == nil && u.User != nil {
			text = u.Redacted()
		}
		_, _ = fmt.Fprintf(out, "%s=%s\n", name, text)
	})
}

func each(config any, visit func(name string, value any)) {
	fields(reflect.Indirect(reflect.ValueOf(config)), "", visit)
}

// fields goes through a struct and those embedded in it, whose names get the prefixes of their tags.
func fields(v reflect.Value, prefix string, visit func(name string, value any)) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if _, embedded := tag.Lookup("embed"); embedded {
			fields(v.Field(i), prefix+tag.Get("envprefix"), visit)
		} else if name := tag.Get("env"); name != "" {
			visit(prefix+name, v.Field(i).Interface())
		}
	}
}
