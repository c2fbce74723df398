package bank

// branch is an office of the bank; its key is B and its position in the table, counted from 1.
type branch struct {
	region    string
	name      string
	latitude  float64
	longitude float64
}

var branches = []branch{
	{"CZ010", "Praha, Václavské náměstí", 50.0813, 14.4280},
	{"CZ010", "Praha, Smíchov", 50.0706, 14.4040},
	{"CZ010", "Praha, Dejvice", 50.1006, 14.3950},
	{"CZ010", "Praha, Karlín", 50.0930, 14.4530},
	{"CZ010", "Praha, Chodov", 50.0310, 14.4910},
	{"CZ020", "Kladno", 50.1473, 14.1029},
	{"CZ020", "Mladá Boleslav", 50.4114, 14.9032},
	{"CZ020", "Příbram", 49.6899, 14.0104},
	{"CZ020", "Kolín", 50.0281, 15.2006},
	{"CZ031", "České Budějovice", 48.9745, 14.4743},
	{"CZ031", "Tábor", 49.4144, 14.6578},
	{"CZ031", "Písek", 49.3088, 14.1475},
	{"CZ032", "Plzeň", 49.7475, 13.3776},
	{"CZ032", "Klatovy", 49.3955, 13.2950},
	{"CZ041", "Karlovy Vary", 50.2319, 12.8720},
	{"CZ041", "Cheb", 50.0796, 12.3739},
	{"CZ042", "Ústí nad Labem", 50.6607, 14.0323},
	{"CZ042", "Teplice", 50.6404, 13.8245},
	{"CZ042", "Most", 50.5030, 13.6362},
	{"CZ051", "Liberec", 50.7663, 15.0543},
	{"CZ051", "Jablonec nad Nisou", 50.7243, 15.1711},
	{"CZ052", "Hradec Králové", 50.2092, 15.8328},
	{"CZ052", "Trutnov", 50.5610, 15.9127},
	{"CZ053", "Pardubice", 50.0343, 15.7812},
	{"CZ053", "Chrudim", 49.9511, 15.7956},
	{"CZ063", "Jihlava", 49.3961, 15.5912},
	{"CZ063", "Třebíč", 49.2149, 15.8817},
	{"CZ064", "Brno, Náměstí Svobody", 49.1951, 16.6068},
	{"CZ064", "Brno, Líšeň", 49.2067, 16.6852},
	{"CZ064", "Znojmo", 48.8555, 16.0488},
	{"CZ064", "Hodonín", 48.8489, 17.1324},
	{"CZ071", "Olomouc", 49.5938, 17.2509},
	{"CZ071", "Přerov", 49.4551, 17.4509},
	{"CZ071", "Prostějov", 49.4719, 17.1118},
	{"CZ072", "Zlín", 49.2265, 17.6707},
	{"CZ072", "Uherské Hradiště", 49.0698, 17.4597},
	{"CZ080", "Ostrava", 49.8209, 18.2625},
	{"CZ080", "Opava", 49.9387, 17.9026},
	{"CZ080", "Frýdek-Místek", 49.6881, 18.3537},
	{"CZ080", "Karviná", 49.8567, 18.5432},
}

const managersPerBranch = 3

// branchesOf lists the branches of each region, by position of the region.
var branchesOf = func() [][]int {
	lists := make([][]int, len(regions))
	for i, region := range regions {
		for j, branch := range branches {
			if branch.region == region.code {
				lists[i] = append(lists[i], j)
			}
		}
	}
	return lists
}()

// cityOf gives the city of a branch: its name without the quarter.
func cityOf(position int) string {
	name := branches[position].name
	for i, letter := range name {
		if letter == ',' {
			return name[:i]
		}
	}
	return name
}

func writeBranches(f *csvFile) {
	for i, b := range branches {
		f.key(keyPart{'B', i + 1}).text(b.name).text(b.region).decimal(b.latitude, 4).decimal(b.longitude, 4).end()
	}
}

// writeManagers gives each branch its managers; their names come from streams of their own.
func (g *generator) writeManagers(f *csvFile) {
	for i := range len(branches) * managersPerBranch {
		s := g.stream(i+1, purposeManager)
		female := s.Happens(0.55)
		given, family := drawName(s, female)
		f.key(keyPart{'M', i + 1}).text(given + " " + family).key(keyPart{'B', i/managersPerBranch + 1}).end()
	}
}
