package customer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	datepb "google.golang.org/genproto/googleapis/type/date"

	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/customer/taxid"
	"tandem.bank/services/crm/internal/record"
)

// TaxID is a tax id as the column keeps it, in its one form.
type TaxID struct {
	Country string `json:"country"`
	Number  string `json:"number"`
}

// IdentityDocument proves who a person is. Days are texts.
type IdentityDocument struct {
	Type           string `json:"type"`
	Number         string `json:"number"`
	IssuingCountry string `json:"issuing_country,omitempty"`
	Issuer         string `json:"issuer,omitempty"`
	Issued         string `json:"issued,omitempty"`
	Expires        string `json:"expires,omitempty"`
}

// OtherBank is a product that a customer uses at another bank.
type OtherBank struct {
	Bank          string `json:"bank"`
	BIC           string `json:"bic,omitempty"`
	ProductFamily string `json:"product_family,omitempty"`
	Since         string `json:"since,omitempty"`
}

// day renders a day that a document keeps as text.
func day(text string) *datepb.Date {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil // there is none
	}
	return date.Proto(t)
}

func readTaxIDs(in *record.Reader, path func(i int) string, ids []*crmv1.TaxId) []TaxID {
	var out []TaxID
	for i, id := range ids {
		number, err := taxid.Normal(id.GetCountry(), id.GetNumber())
		read := TaxID{Country: id.GetCountry(), Number: number}
		switch {
		case err != nil:
			in.Refuse(path(i)+".number", err.Error())
		case slices.Contains(out, read):
			in.Refuse(path(i)+".number", "stands in the list twice")
		}
		out = append(out, read)
	}
	return out
}

func taxIDs(ids []TaxID) []*crmv1.TaxId {
	var out []*crmv1.TaxId
	for _, id := range ids {
		out = append(out, &crmv1.TaxId{Country: id.Country, Number: id.Number})
	}
	return out
}

// taxID is the one of an individual.
func taxID(ids []TaxID) *crmv1.TaxId {
	if len(ids) == 0 {
		return nil
	}
	return &crmv1.TaxId{Country: ids[0].Country, Number: ids[0].Number}
}

func readIdentityDocuments(in *record.Reader, documents []*crmv1.IdentityDocument) []IdentityDocument {
	var out []IdentityDocument
	for i, d := range documents {
		path := fmt.Sprintf("individual.identity_documents[%d]", i)
		issued, expires := in.Date(path+".issued", d.GetIssued()), in.Date(path+".expires", d.GetExpires())
		in.NotBefore(path+".expires", expires, "issued", issued)
		number := plainNumber(d.GetNumber())
		if number == "" {
			in.Refuse(path+".number", "must have letters or digits")
		}
		out = append(out, IdentityDocument{
			Type: record.EnumText(d.GetType()), Number: number, IssuingCountry: d.GetIssuingCountry(), Issuer: d.GetIssuer(),
			Issued: record.DateText(issued), Expires: record.DateText(expires),
		})
	}
	return out
}

// numberSigns are what people put between the letters and digits of a document's number.
var numberSigns = strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "/", "", ".", "", "№", "")

func plainNumber(number string) string { return strings.ToUpper(numberSigns.Replace(number)) }

func identityDocuments(documents []IdentityDocument) []*crmv1.IdentityDocument {
	var out []*crmv1.IdentityDocument
	for _, d := range documents {
		out = append(out, &crmv1.IdentityDocument{
			Type: record.EnumValue[crmv1.IdentityDocumentType](d.Type), Number: d.Number, IssuingCountry: d.IssuingCountry,
			Issuer: d.Issuer, Issued: day(d.Issued), Expires: day(d.Expires),
		})
	}
	return out
}

func readOtherBanks(in *record.Reader, banks []*crmv1.OtherBank) []OtherBank {
	var out []OtherBank
	for i, b := range banks {
		since := in.Date(fmt.Sprintf("other_banks[%d].since", i), b.GetSince())
		out = append(out, OtherBank{
			Bank: b.GetBank(), BIC: b.GetBic(), ProductFamily: record.EnumText(b.GetProductFamily()), Since: record.DateText(since),
		})
	}
	return out
}

func otherBanks(banks []OtherBank) []*crmv1.OtherBank {
	var out []*crmv1.OtherBank
	for _, b := range banks {
		out = append(out, &crmv1.OtherBank{
			Bank: b.Bank, Bic: b.BIC, ProductFamily: record.EnumValue[crmv1.ProductFamily](b.ProductFamily), Since: day(b.Since),
		})
	}
	return out
}

func otherBankStates(banks []OtherBank) []*eventsv1.OtherBankState {
	var out []*eventsv1.OtherBankState
	for _, b := range banks {
		out = append(out, &eventsv1.OtherBankState{Bank: b.Bank, ProductFamily: b.ProductFamily, Since: b.Since})
	}
	return out
}

// readLanguage brings a language tag into its usual form: "EN_us" is "en-US".
func readLanguage(in *record.Reader, field, tag string) string {
	if tag == "" {
		return ""
	}
	parsed, err := language.Parse(tag)
	if err != nil {
		in.Refuse(field, "is not a BCP 47 language tag such as cs or pt-BR")
		return ""
	}
	return parsed.String()
}
