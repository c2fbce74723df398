package bank

import (
	"strings"

	"tandem.bank/services/cli/internal/demo/chance"
)

// Given names, the common ones first: position i is drawn with a weight that falls with i.
var (
	givenMale = strings.Fields(`Jiří Jan Petr Josef Pavel Martin Tomáš Jaroslav Miroslav Zdeněk František Václav Michal
		Milan Jakub Lukáš David Karel Ladislav Ondřej Marek Roman Stanislav Vojtěch Filip Adam Daniel Matěj Vladimír Aleš
		Antonín Dominik Libor Radek Štěpán Kryštof Šimon Bohumil Vít Ivo Oldřich Patrik Richard René Hynek Řehoř`)
	givenFemale = strings.Fields(`Marie Jana Eva Hana Anna Lenka Kateřina Lucie Věra Alena Petra Veronika Jaroslava Tereza
		Martina Michaela Jitka Helena Zdeňka Ludmila Monika Zuzana Ivana Markéta Eliška Barbora Kristýna Dagmar Natálie
		Božena Adéla Pavla Klára Jiřina Irena Šárka Renata Nikola Dana Simona Vendula Žaneta Blanka Květa Růžena`)
)

// familyNames pairs the form that men bear with the one that women bear; there is no rule that fits all.
var familyNames = []struct{ male, female string }{
	{"Novák", "Nováková"},
	{"Svoboda", "Svobodová"},
	{"Novotný", "Novotná"},
	{"Dvořák", "Dvořáková"},
	{"Černý", "Černá"},
	{"Procházka", "Procházková"},
	{"Kučera", "Kučerová"},
	{"Veselý", "Veselá"},
	{"Horák", "Horáková"},
	{"Němec", "Němcová"},
	{"Pokorný", "Pokorná"},
	{"Marek", "Marková"},
	{"Pospíšil", "Pospíšilová"},
	{"Hájek", "Hájková"},
	{"Jelínek", "Jelínková"},
	{"Král", "Králová"},
	{"Růžička", "Růžičková"},
	{"Beneš", "Benešová"},
	{"Fiala", "Fialová"},
	{"Sedláček", "Sedláčková"},
	{"Doležal", "Doležalová"},
	{"Zeman", "Zemanová"},
	{"Nguyen", "Nguyen"},
	{"Kolář", "Kolářová"},
	{"Krejčí", "Krejčí"},
	{"Navrátil", "Navrátilová"},
	{"Čermák", "Čermáková"},
	{"Urban", "Urbanová"},
	{"Vaněk", "Vaňková"},
	{"Blažek", "Blažková"},
	{"Kříž", "Křížová"},
	{"Kratochvíl", "Kratochvílová"},
	{"Kopecký", "Kopecká"},
	{"Kovář", "Kovářová"},
	{"Bartoš", "Bartošová"},
	{"Vlček", "Vlčková"},
	{"Musil", "Musilová"},
	{"Šimek", "Šimková"},
	{"Polák", "Poláková"},
	{"Konečný", "Konečná"},
	{"Malý", "Malá"},
	{"Čech", "Čechová"},
	{"Kadlec", "Kadlecová"},
	{"Štěpánek", "Štěpánková"},
	{"Staněk", "Staňková"},
	{"Holub", "Holubová"},
	{"Dostál", "Dostálová"},
	{"Soukup", "Soukupová"},
	{"Šťastný", "Šťastná"},
	{"Mareš", "Marešová"},
	{"Moravec", "Moravcová"},
	{"Sýkora", "Sýkorová"},
	{"Tichý", "Tichá"},
	{"Valenta", "Valentová"},
	{"Vávra", "Vávrová"},
	{"Matoušek", "Matoušková"},
	{"Bláha", "Bláhová"},
	{"Říha", "Říhová"},
	{"Ševčík", "Ševčíková"},
	{"Bureš", "Burešová"},
	{"Hruška", "Hrušková"},
	{"Mašek", "Mašková"},
	{"Pavlík", "Pavlíková"},
	{"Dušek", "Dušková"},
	{"Janda", "Jandová"},
	{"Hrubý", "Hrubá"},
	{"Mach", "Machová"},
	{"Zelený", "Zelená"},
	{"Šmíd", "Šmídová"},
	{"Müller", "Müllerová"},
	{"Coufal", "Coufalová"},
	{"Žák", "Žáková"},
	{"Ďurič", "Ďuričová"},
	{"Tůma", "Tůmová"},
	{"Kohout", "Kohoutová"},
	{"Šedivý", "Šedivá"},
	{"Bednář", "Bednářová"},
	{"Zach", "Zachová"},
	{"Hladký", "Hladká"},
	{"Řezníček", "Řezníčková"},
}

// drawName draws a given and a family name that agree with the sex.
func drawName(s *chance.Stream, female bool) (given, family string) {
	pair := familyNames[drawRank(s, len(familyNames))]
	if female {
		return givenFemale[drawRank(s, len(givenFemale))], pair.female
	}
	return givenMale[drawRank(s, len(givenMale))], pair.male
}

// drawRank draws a position below n, the first ones more often: the smaller of two even draws.
func drawRank(s *chance.Stream, n int) int {
	return min(s.Below(n), s.Below(n))
}

// plainLetters takes the marks off Czech (and a German) letters, for addresses of mail.
var plainLetters = strings.NewReplacer(
	"á", "a", "č", "c", "ď", "d", "é", "e", "ě", "e", "í", "i", "ň", "n", "ó", "o", "ř", "r", "š", "s", "ť", "t",
	"ú", "u", "ů", "u", "ý", "y", "ž", "z", "ü", "u")

func plain(name string) string {
	return plainLetters.Replace(strings.ToLower(name))
}
