package segment

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// A part is what a clustering or a profile scheme divides customers into: "habits/2", "bank_profile/invest". Other segments refer to it
// as to one of them. Nobody follows it: its members are those of the newest run.
const partSeparator = "/"

// clustersDefault is how many clusters there are at most when a definition does not say it.
const clustersDefault = 10

// clusterNumber is what a cluster is called. Numbers stay with clusters from run to run, so that they may go beyond how many there are.
var clusterNumber = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)

// part is one of a definition, in its version; nil when there can be none of that name.
func part(of *definition.Definition, key string) *definition.Definition {
	switch of.Kind {
	case definition.KindClustering:
		if !clusterNumber.MatchString(key) {
			return nil
		}
	case definition.KindProfileScheme:
		if !holdsCell(of, key) {
			return nil
		}
	default:
		return nil
	}
	out := *of
	out.Name += partSeparator + key
	return &out
}

func holdsCell(of *definition.Definition, name string) bool {
	for _, cell := range of.Spec.GetProfileScheme().GetCells() {
		if cell.GetName() == name {
			return true
		}
	}
	return false
}

// isPart says that a definition in a graph is a part.
func isPart(d *definition.Definition) bool { return d.Kind != definition.KindSegment }

// addParts adds those of a definition that names are near to.
func (l library) addParts(of *definition.Definition) {
	var keys []string
	for _, cell := range of.Spec.GetProfileScheme().GetCells() {
		keys = append(keys, cell.GetName())
	}
	if clustering := of.Spec.GetClustering(); clustering != nil {
		for n := range cmp.Or(clustering.GetClusters(), clustering.GetClustersMax(), clustersDefault) {
			keys = append(keys, strconv.Itoa(int(n)+1))
		}
	}
	for _, key := range keys {
		if p := part(of, key); p != nil {
			l[p.Name] = p
		}
	}
}

// cluster is one that numbers have reached, beyond those that names are near to.
func (l library) cluster(name string) *definition.Definition {
	base, key, _ := strings.Cut(name, partSeparator)
	first := l[base+partSeparator+"1"]
	if first == nil || first.Kind != definition.KindClustering {
		return nil
	}
	of := *first
	of.Name = base
	return part(&of, key)
}

// inNewestRun is the condition of the members of a part, by the newest run that was known when a day ended.
func (p *plan) inNewestRun(name string, end time.Time) string {
	segment, until := p.bind("String", name), ""
	if !end.IsZero() {
		until = " AND computed_time <= fromUnixTimestamp64Micro(" + p.bind("Int64", end.UnixMicro()) + ", 'UTC')"
	}
	return "f.customer_id IN (SELECT customer_id FROM segment_member WHERE segment = " + segment + " AND (as_of, run_id) IN (" +
		"SELECT as_of, run_id FROM segment_run FINAL WHERE segment = " + segment + " AND as_of <= " +
		p.bind("Date", warehouse.Day(p.day)) + until + " ORDER BY as_of DESC, computed_time DESC, run_id DESC LIMIT 1))"
}
