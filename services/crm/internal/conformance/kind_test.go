package conformance

import (
	"fmt"
	"strings"
	"time"

	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/latlng"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// kind is one kind of record as the suite needs to know it.
type kind struct {
	// name of the table, of the event's entity and of the field in requests.
	name string
	// service of the API, and the kind's name in its methods, for one and for many.
	service, one, many string
	// sample makes a valid record with a key of this source; two records with different numbers can stand side by side.
	sample func(source string, n int) proto.Message
	// edited is the text field that a test changes.
	edited string
	// vary changes a record of a kind without such a field; nil when it has a last day, which is changed then.
	vary func(m proto.Message, variant int)
	// free is a text field that takes any text.
	free string
	// reference is a field with the key of another record; empty when the kind has none.
	reference string
	// source of the keys of the test at hand: tests of one kind share a bank and keep apart by it.
	source string
}

// record makes a sample of the test at hand.
func (k kind) record(n int) proto.Message { return k.sample(k.source, n) }

// mine is the filter for the records of the test at hand.
func (k kind) mine() string { return fmt.Sprintf("key.source = %q", k.source) }

func key(source string, n int) *crmv1.ExternalKey {
	return &crmv1.ExternalKey{Source: source, ExternalId: fmt.Sprint(n)}
}

func day(year, month, day int32) *datepb.Date {
	return &datepb.Date{Year: year, Month: month, Day: day}
}

func crowns(units int64) *moneypb.Money { return &moneypb.Money{CurrencyCode: "CZK", Units: units} }

func at(n int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute))
}

var regions = kind{
	name: "region", service: "BranchService", one: "Region", many: "Regions", edited: "name", free: "parent_name",
	sample: func(source string, n int) proto.Message {
		population := int64(1000 + n)
		return &crmv1.Region{
			Key: key(source, n), Name: "Region", Population: &population, AverageSalary: "9500.5",
			Indicators: map[string]float64{"unemployment_rate_1996": 3.25},
		}
	},
}

var branches = kind{
	name: "branch", service: "BranchService", one: "Branch", many: "Branches", edited: "name", free: "name", reference: "region_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Branch{Key: key(source, n), Name: "Branch", RegionKey: fixed("region")}
	},
}

var managers = kind{
	name: "manager", service: "BranchService", one: "Manager", many: "Managers", edited: "name", free: "name", reference: "branch_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Manager{Key: key(source, n), Name: "Jan Novák", BranchKey: fixed("branch")}
	},
}

var products = kind{
	name: "product", service: "ProductService", one: "Product", many: "Products", edited: "name", free: "name",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Product{
			Key: key(source, n), Code: fmt.Sprintf("%s-%d", source, n), Name: "Card", Family: crmv1.ProductFamily_PRODUCT_FAMILY_CARD,
			Currency: "CZK", Margin: "0.025", ValidFrom: day(2020, 1, 1), Description: "For every day.", AnnualRate: "0.0849",
			AmountMin: crowns(1000), AmountMax: crowns(200000), MonthsMin: 6, MonthsMax: 60,
			Channels: []crmv1.Channel{crmv1.Channel_CHANNEL_BRANCH, crmv1.Channel_CHANNEL_WEB},
		}
	},
}

var customers = kind{
	name: "customer", service: "CustomerService", one: "Customer", many: "Customers", edited: "phone", free: "email", reference: "manager_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Customer{
			Key: key(source, n), RegionKey: fixed("region"), BranchKey: fixed("branch"), ManagerKey: fixed("manager"), Phone: "+420601000000",
			Party:             &crmv1.Customer_Individual{Individual: person()},
			ContactPoints:     []*crmv1.ContactPoint{home(), {Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_MESSENGER, Value: "petr", Label: "telegram"}},
			PreferredChannel:  crmv1.Channel_CHANNEL_EMAIL,
			PreferredLanguage: "cs",
			OtherBanks: []*crmv1.OtherBank{{
				Bank: "Other Bank", Bic: "OTHRCZPP", ProductFamily: crmv1.ProductFamily_PRODUCT_FAMILY_LOAN, Since: day(2015, 1, 1),
			}},
			StateReason: crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_REFERRAL, StateSince: day(2018, 4, 3), StateNote: "his sister",
		}
	},
}

// person fills in every field of an individual.
func person() *crmv1.Individual {
	dependants := int32(2)
	return &crmv1.Individual{
		GivenName: "Petr", FamilyName: "Dvořák", MiddleName: "Jan", GivenNameLatin: "Petr", FamilyNameLatin: "Dvorak", MiddleNameLatin: "Jan",
		BirthDate: day(1980, 2, 29), Sex: crmv1.Sex_SEX_MALE, Citizenships: []string{"CZ", "SK"},
		TaxId: &crmv1.TaxId{Country: "CZ", Number: "7360285163"},
		IdentityDocuments: []*crmv1.IdentityDocument{{
			Type: crmv1.IdentityDocumentType_IDENTITY_DOCUMENT_TYPE_PASSPORT, Number: "AB123456", IssuingCountry: "CZ", Issuer: "Praha 1",
			Issued: day(2020, 1, 1), Expires: day(2030, 1, 1),
		}},
		MaritalStatus: crmv1.MaritalStatus_MARITAL_STATUS_MARRIED, Dependants: &dependants,
		EducationLevel: crmv1.EducationLevel_EDUCATION_LEVEL_MASTER, Occupation: "teacher", EmployerName: "ZŠ Praha",
		Position: "headmaster", EmployedSince: day(2010, 9, 1), MonthlyIncome: crowns(40000),
		IncomeSource: crmv1.IncomeSource_INCOME_SOURCE_EMPLOYMENT, IncomeVerifiedOn: day(2025, 5, 5),
		IncomeProof: crmv1.IncomeProof_INCOME_PROOF_EMPLOYER, Interests: []string{"travel", "chess"},
	}
}

func home() *crmv1.ContactPoint {
	return &crmv1.ContactPoint{
		Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_ADDRESS, Label: "home", Primary: true, Verified: true,
		ValidFrom: day(2020, 1, 1), ValidTo: day(2040, 1, 1),
		Address: &crmv1.PostalAddress{
			Country: "CZ", PostalCode: "110 00", City: "Praha", Street: "Dlouhá 1",
			Location: &latlng.LatLng{Latitude: 50.0875, Longitude: 14.4214},
		},
	}
}

var accounts = kind{
	name: "account", service: "AccountService", one: "Account", many: "Accounts", edited: "number", free: "number", reference: "product_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Account{
			Key: key(source, n), Number: "1", Currency: "CZK", ProductKey: fixed("product"), RegionKey: fixed("region"),
			BranchKey: fixed("branch"), State: crmv1.AccountState_ACCOUNT_STATE_OPEN, Opened: day(2021, 5, 6),
			StatementFrequency: crmv1.StatementFrequency_STATEMENT_FREQUENCY_WEEKLY, OverdraftLimit: crowns(20000), StateReason: "new",
			ContractKey: fixed("contract"),
		}
	},
}

var holders = kind{
	name: "account_holder", service: "AccountService", one: "AccountHolder", many: "AccountHolders", reference: "customer_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.AccountHolder{
			Key: key(source, n), AccountKey: fixed("account"), CustomerKey: fixed("other customer"),
			Role: crmv1.HolderRole_HOLDER_ROLE_CO_OWNER, ValidFrom: day(2022, 1, 1),
		}
	},
}

var cards = kind{
	name: "card", service: "CardService", one: "Card", many: "Cards", edited: "scheme", free: "token", reference: "account_holder_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Card{
			Key: key(source, n), Token: "tok", First6: "400000", Last4: "1111", Scheme: "visa", Expiry: day(2028, 4, 1),
			State: crmv1.CardState_CARD_STATE_ACTIVE, AccountHolderKey: fixed("holder"), ProductKey: fixed("product"), Issued: day(2024, 4, 17),
		}
	},
}

var contracts = kind{
	name: "contract", service: "ContractService", one: "Contract", many: "Contracts", edited: "purpose", free: "counterparty_bank", reference: "account_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Contract{
			Key: key(source, n), Kind: crmv1.ContractKind_CONTRACT_KIND_LOAN, State: crmv1.ContractState_CONTRACT_STATE_RUNNING,
			AccountKey: fixed("account"), ProductKey: fixed("product"), Amount: crowns(120000), Instalment: crowns(5000),
			DurationMonths: 24, Opened: day(2025, 1, 2), Purpose: "household", Number: "L-17/2025", Currency: "CZK", AnnualRate: "0.0849",
			RateKind: crmv1.RateKind_RATE_KIND_VARIABLE, ReferenceRate: "PRIBOR 3M", RateMargin: "0.045", Limit: crowns(150000),
			DayCount: crmv1.DayCount_DAY_COUNT_ACTUAL_360, Collateral: "a car", Signed: day(2024, 12, 30), Maturity: day(2027, 1, 2),
		}
	},
}

var contractParties = kind{
	name: "contract_party", service: "ContractService", one: "ContractParty", many: "ContractParties", reference: "customer_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.ContractParty{
			Key: key(source, n), ContractKey: fixed("contract"), CustomerKey: fixed("other customer"),
			Role: crmv1.PartyRole_PARTY_ROLE_GUARANTOR, Share: "0.25", ValidFrom: day(2025, 1, 2),
		}
	},
}

// instalments have numbers that are unique in their contract: each test takes a stretch of them, by the length of its name,
// and the one with thousands of rows has a contract of its own.
var instalments = kind{
	name: "instalment", service: "InstalmentService", one: "Instalment", many: "Instalments", reference: "contract_key",
	vary: func(m proto.Message, variant int) {
		m.(*crmv1.Instalment).Fee = crowns(int64(1 + variant))
	},
	sample: func(source string, n int) proto.Message {
		contract, number := "contract", 100*len(source)+n
		if source == "batchsize" {
			contract, number = "other contract", 1+n
		}
		return &crmv1.Instalment{
			Key: key(source, n), ContractKey: fixed(contract), Number: int32(number), Due: day(2025, 2, 2),
			Principal: crowns(4000), Interest: crowns(1000), Fee: crowns(0), Paid: crowns(0), State: crmv1.InstalmentState_INSTALMENT_STATE_OPEN,
		}
	},
}

var interactions = kind{
	name: "interaction", service: "InteractionService", one: "Interaction", many: "Interactions", edited: "outcome", free: "text", reference: "customer_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Interaction{
			Key: key(source, n), CustomerKey: fixed("customer"), Kind: crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT,
			Channel: crmv1.Channel_CHANNEL_PHONE, OpenedTime: at(n / 2), ManagerKey: fixed("manager"), AccountKey: fixed("account"),
			Subject: "Card declined", Text: "At the till.", Outcome: "open", Topic: "card declined",
			Priority: crmv1.Priority_PRIORITY_HIGH, FirstAnswerTime: at(n/2 + 5), DueTime: at(n/2 + 1000), FirstAnswerDueTime: at(n/2 + 60),
			Participants: []*crmv1.Participant{
				{CustomerKey: fixed("other customer"), Role: crmv1.ParticipantRole_PARTICIPANT_ROLE_REPRESENTATIVE},
				{Name: "Mgr. Jan Hora", Role: crmv1.ParticipantRole_PARTICIPANT_ROLE_INTERPRETER},
			},
			Campaign: "2026-spring", Place: "Praha 1", Location: &latlng.LatLng{Latitude: 50.09, Longitude: 14.42}, Documents: []string{"archive/17"},
		}
	},
}

var serviceLevels = kind{
	name: "service_level", service: "ServiceLevelService", one: "ServiceLevel", many: "ServiceLevels", edited: "name", free: "name",
	sample: func(source string, n int) proto.Message {
		return &crmv1.ServiceLevel{
			Key: key(source, n), Name: "Card declined, urgent", Class: fmt.Sprintf("class_%s_%d", strings.ToLower(source), n),
			Kind: crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT, Priority: crmv1.Priority_PRIORITY_HIGH,
			FirstAnswerHours: 2, ResolutionHours: 24, Calendar: crmv1.ServiceCalendar_SERVICE_CALENDAR_BUSINESS_HOURS,
		}
	},
}

var consents = kind{
	name: "consent", service: "ConsentService", one: "Consent", many: "Consents", edited: "text_version", free: "proof", reference: "customer_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Consent{
			Key: key(source, n), CustomerKey: fixed("customer"), Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_EMAIL,
			GrantedTime: at(n), ExpiresTime: at(n + 100000), TextVersion: "2026-01/cs", Proof: "form 17",
			GrantedHow: crmv1.ConsentMethod_CONSENT_METHOD_SIGNED_FORM, WithdrawnTime: at(n + 10),
			WithdrawnHow: crmv1.ConsentMethod_CONSENT_METHOD_CALL, WithdrawalReason: "Too many offers.", WithdrawalProof: "recording 4",
		}
	},
}

// relations are children who are no customers: any number of them can stand side by side.
var relations = kind{
	name: "relation", service: "RelationService", one: "Relation", many: "Relations", edited: "note", free: "other_name", reference: "customer_key",
	sample: func(source string, n int) proto.Message {
		return &crmv1.Relation{
			Key: key(source, n), CustomerKey: fixed("customer"), Type: crmv1.RelationType_RELATION_TYPE_CHILD,
			OtherName: fmt.Sprintf("Adam of %s %d", source, n), OtherBirthDate: day(2019, 8, 7), ValidFrom: day(2019, 8, 7),
			Weight: "0.75", Formality: crmv1.Formality_FORMALITY_FORMAL, Note: "goes to school",
		}
	},
}

// definitions differ by name, as products do by code.
var definitions = kind{
	name: "attribute_definition", service: "AttributeService", one: "AttributeDefinition", many: "AttributeDefinitions",
	edited: "title", free: "description",
	sample: func(source string, n int) proto.Message {
		return &crmv1.AttributeDefinition{
			Key: key(source, n), Name: fmt.Sprintf("%s_%d", source, n), Title: "Segment", Type: crmv1.AttributeType_ATTRIBUTE_TYPE_OPTIONS,
			AppliesTo: crmv1.AttributeAppliesTo_ATTRIBUTE_APPLIES_TO_INDIVIDUAL, AllowedValues: []string{"gold", "silver"},
			Description: "How we see them.",
		}
	},
}

// kinds are all that the suite is run against.
var kinds = []kind{
	regions, branches, managers, products, customers, accounts, holders, cards, contracts, contractParties, instalments,
	interactions, serviceLevels, consents, relations, definitions,
}
