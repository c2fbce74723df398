package bank

// region is one of the 14 Czech regions with figures of about 2023 (population, mean gross monthly salary in CZK).
type region struct {
	code      string // NUTS 3
	name      string
	parent    string // NUTS 2
	latitude  float64
	longitude float64
	people    int
	salary    int
}

var regions = []region{
	{"CZ010", "Hlavní město Praha", "Praha", 50.0755, 14.4378, 1357000, 55500},
	{"CZ020", "Středočeský kraj", "Střední Čechy", 49.8782, 14.9363, 1439000, 44000},
	{"CZ031", "Jihočeský kraj", "Jihozápad", 49.0775, 14.4346, 652000, 39900},
	{"CZ032", "Plzeňský kraj", "Jihozápad", 49.4135, 13.3157, 605000, 42100},
	{"CZ041", "Karlovarský kraj", "Severozápad", 50.1439, 12.7502, 293000, 37700},
	{"CZ042", "Ústecký kraj", "Severozápad", 50.6119, 13.7870, 811000, 40300},
	{"CZ051", "Liberecký kraj", "Severovýchod", 50.6595, 14.7632, 449000, 40700},
	{"CZ052", "Královéhradecký kraj", "Severovýchod", 50.3512, 15.7976, 555000, 41400},
	{"CZ053", "Pardubický kraj", "Severovýchod", 49.9446, 16.2857, 528000, 39700},
	{"CZ063", "Kraj Vysočina", "Jihovýchod", 49.4490, 15.6406, 514000, 40500},
	{"CZ064", "Jihomoravský kraj", "Jihovýchod", 48.9545, 16.7677, 1217000, 43600},
	{"CZ071", "Olomoucký kraj", "Střední Morava", 49.6587, 17.0811, 631000, 39800},
	{"CZ072", "Zlínský kraj", "Střední Morava", 49.2162, 17.7720, 580000, 39500},
	{"CZ080", "Moravskoslezský kraj", "Moravskoslezsko", 49.7306, 18.2333, 1189000, 39900},
}

// regionWeights spread customers as people live.
var regionWeights = func() []int {
	weights := make([]int, len(regions))
	for i, region := range regions {
		weights[i] = region.people
	}
	return weights
}()

func writeRegions(f *csvFile) {
	for _, r := range regions {
		f.text(r.code).text(r.name).text(r.parent)
		f.decimal(r.latitude, 4).decimal(r.longitude, 4).number(r.people).number(r.salary).end()
	}
}
