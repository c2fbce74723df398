package audit

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Why an answer names no customer.
const (
	nobodys  = "the records are the bank's own and nobody's"
	written  = "the answer counts and gives ids of what was written; the entries of the changes name the customers"
	proof    = "the answer is about the chain, not about what its entries tell"
	workings = "the answer is about the service"
)

// silent are the methods whose answers show no customer, each with the reason.
var silent = map[string]string{
	"AttributeService.CreateAttributeDefinition":       nobodys,
	"AttributeService.GetAttributeDefinition":          nobodys,
	"AttributeService.UpdateAttributeDefinition":       nobodys,
	"AttributeService.ListAttributeDefinitions":        nobodys,
	"AttributeService.BatchUpsertAttributeDefinitions": nobodys,
	"BranchService.BatchUpsertRegions":                 nobodys,
	"BranchService.GetRegion":                          nobodys,
	"BranchService.ListRegions":                        nobodys,
	"BranchService.BatchUpsertBranches":                nobodys,
	"BranchService.GetBranch":                          nobodys,
	"BranchService.ListBranches":                       nobodys,
	"BranchService.BatchUpsertManagers":                nobodys,
	"BranchService.GetManager":                         nobodys,
	"BranchService.ListManagers":                       nobodys,
	"DefinitionService.CreateDefinition":               nobodys,
	"DefinitionService.GetDefinition":                  nobodys,
	"DefinitionService.UpdateDefinition":               nobodys,
	"DefinitionService.ListDefinitions":                nobodys,
	"DefinitionService.ListDefinitionVersions":         nobodys,
	"DefinitionService.ArchiveDefinition":              nobodys,
	"DefinitionService.RestoreDefinition":              nobodys,
	"DefinitionService.ShareDefinition":                nobodys,
	"PlanService.ImportPlan":                           written,
	"PlanService.GetPlan":                              nobodys,
	"PlanService.ListPlans":                            nobodys,
	"PlanService.ListPlanVersions":                     nobodys,
	"ProductService.CreateProduct":                     nobodys,
	"ProductService.GetProduct":                        nobodys,
	"ProductService.UpdateProduct":                     nobodys,
	"ProductService.ListProducts":                      nobodys,
	"ProductService.BatchUpsertProducts":               nobodys,
	"ServiceAccountService.CreateServiceAccount":       nobodys,
	"ServiceAccountService.GetServiceAccount":          nobodys,
	"ServiceAccountService.ListServiceAccounts":        nobodys,
	"ServiceAccountService.UpdateServiceAccount":       nobodys,
	"ServiceAccountService.AddServiceAccountKey":       nobodys,
	"ServiceAccountService.RotateServiceAccountKey":    nobodys,
	"ServiceAccountService.RevokeServiceAccountKey":    nobodys,
	"ServiceAccountService.DisableServiceAccount":      nobodys,
	"ServiceAccountService.EnableServiceAccount":       nobodys,
	"ServiceLevelService.CreateServiceLevel":           nobodys,
	"ServiceLevelService.GetServiceLevel":              nobodys,
	"ServiceLevelService.UpdateServiceLevel":           nobodys,
	"ServiceLevelService.ListServiceLevels":            nobodys,
	"ServiceLevelService.BatchUpsertServiceLevels":     nobodys,
	"AccessService.ListRoles":                          nobodys,
	"AccessService.GetPolicy":                          nobodys,
	"AccountService.BatchUpsertAccounts":               written,
	"AccountService.BatchUpsertAccountHolders":         written,
	"BehaviourService.StreamBehaviourEvents":           written,
	"BehaviourService.BatchRecordBehaviourEvents":      written,
	"CardService.BatchUpsertCards":                     written,
	"ConsentService.BatchUpsertConsents":               written,
	"ContractService.BatchUpsertContracts":             written,
	"ContractService.BatchUpsertContractParties":       written,
	"InstalmentService.BatchUpsertInstalments":         written,
	"BalanceService.BatchUpsertBalances":               written,
	"CustomerService.BatchUpsertCustomers":             written,
	"DocumentService.BatchUpsertDocuments":             written,
	"InteractionService.BatchUpsertInteractions":       written,
	"RelationService.BatchUpsertRelations":             written,
	"TransactionService.BatchUpsertTransactions":       written,
	"TransactionService.StreamTransactions":            written,
	"AuditService.GetAuditHead":                        proof,
	"AuditService.StreamAuditBlocks":                   proof,
	"AuditService.StreamAuditedChanges":                proof,
	"AuditService.VerifyAudit":                         proof,
	"ChangeStreamService.AwaitPublished":               workings,
	"ChangeStreamService.GetRelayStatus":               workings,
}

// strangers are the records whose numbers are not customers'. A field may say before it what the record is there, such as
// replaced_by_card_id.
var strangers = []string{
	"definition", "plan",
	"account_holder", "attribute_definition", "behaviour_event", "branch", "card", "change", "consent", "contract", "contract_party", "document",
	"entity", "entry", "instalment", "interaction", "manager", "product", "record", "region", "relation", "service_account", "service_level", "supervisor",
	"transaction",
}

// walk calls with every file of the API.
func walk(visit func(file protoreflect.FileDescriptor)) {
	protoregistry.GlobalFiles.RangeFilesByPackage(crmv1.File_tandem_crm_v1_audit_proto.Package(), func(file protoreflect.FileDescriptor) bool {
		visit(file)
		return true
	})
}

// Whatever reads something of customers is on record: a method's answer names them, or their accounts, or its request does.
// A method whose answer names nobody is listed here with the reason, and no other is.
func TestEveryReadIsOnRecord(t *testing.T) {
	t.Parallel()
	methods := 0
	walk(func(file protoreflect.FileDescriptor) {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				methods++
				asked := method.Input().Fields()
				named := !planOf(method.Output()).empty() || asked.ByName(customerField) != nil || asked.ByName(accountField) != nil
				name := strings.TrimPrefix(string(method.FullName()), "tandem.crm.v1.")
				switch _, listed := silent[name]; {
				case !named && !listed:
					t.Errorf("%s: nothing in its answer says whom it shows: give the answer a customer_id, or list the method with the reason", name)
				case named && listed:
					t.Errorf("%s: names customers and is listed as one that shows none", name)
				}
			}
		}
	})
	if methods < 50 {
		t.Errorf("only %d methods were looked at", methods)
	}
}

// Every number of a record in a message is known to be a customer's, or not to be: one that names a customer by another
// word than customer_id belongs to customersElsewhere.
func TestEveryNumberIsKnown(t *testing.T) {
	t.Parallel()
	walk(func(file protoreflect.FileDescriptor) {
		messages := file.Messages()
		for i := range messages.Len() {
			fields := messages.Get(i).Fields()
			for j := range fields.Len() {
				field := fields.Get(j)
				name, number := strings.CutSuffix(strings.TrimSuffix(string(field.Name()), "s"), "_id")
				if !number || field.Kind() != protoreflect.Int64Kind || namesCustomers(field) || name+"_id" == accountField {
					continue
				}
				if !slices.ContainsFunc(strangers, func(s string) bool { return name == s || strings.HasSuffix(name, "_"+s) }) {
					t.Errorf("%s: may it be the number of a customer? Say so in customersElsewhere or here", field.FullName())
				}
			}
		}
	})
}
