// Package permission says which roles may call which method of analytics. There are no rows and fields to guard here: no
// answer tells more of a customer than a number and figures.
package permission

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// ReasonPermissionDenied is the reason of a refusal, in the ErrorInfo.
const ReasonPermissionDenied = "PERMISSION_DENIED"

var (
	// readers see results and how far the data have come. The front office sees results beside the customer, in crm.
	readers = []string{auth.RoleManager, auth.RoleAnalyst, auth.RoleMarketer, auth.RoleOperations, auth.RoleAdministrator}
	// runners start computations.
	runners = []string{auth.RoleAnalyst, auth.RoleMarketer, auth.RoleOperations, auth.RoleAdministrator}
	// authors define what is computed; crm compiles with their tokens.
	authors = []string{auth.RoleAnalyst, auth.RoleAdministrator}
	// operators look after the machine.
	operators = []string{auth.RoleOperations, auth.RoleAdministrator}
)

// allowed has every method of the API; one that is not in it is refused to everybody.
var allowed = map[string][]string{
	analyticsv1.AuditCopyService_StreamAuditBlockCopies_FullMethodName:  operators,
	analyticsv1.ClusterService_RunClustering_FullMethodName:             runners,
	analyticsv1.ClusterService_GetClusteringRun_FullMethodName:          readers,
	analyticsv1.ClusterService_ListClusteringRuns_FullMethodName:        readers,
	analyticsv1.ClusterService_ListClusterMembers_FullMethodName:        readers,
	analyticsv1.ClusterService_ExplainCluster_FullMethodName:            readers,
	analyticsv1.ClvService_RunClv_FullMethodName:                        runners,
	analyticsv1.ClvService_GetClvRun_FullMethodName:                     readers,
	analyticsv1.ClvService_ListClvRuns_FullMethodName:                   readers,
	analyticsv1.ClvService_ListClvValues_FullMethodName:                 readers,
	analyticsv1.ClvService_GetClvModel_FullMethodName:                   readers,
	analyticsv1.ClvService_ListClvModels_FullMethodName:                 readers,
	analyticsv1.ClvService_GetClvBacktest_FullMethodName:                readers,
	analyticsv1.ClvService_ExplainClv_FullMethodName:                    readers,
	analyticsv1.ClvService_GetClvSlices_FullMethodName:                  readers,
	analyticsv1.DefinitionService_CompileDefinition_FullMethodName:      authors,
	analyticsv1.AuditCopyService_StreamPublishedChanges_FullMethodName:  operators,
	analyticsv1.IngestService_AwaitIngested_FullMethodName:              readers,
	analyticsv1.IngestService_GetIngestStatus_FullMethodName:            readers,
	analyticsv1.IngestService_ListDeadLetters_FullMethodName:            operators,
	analyticsv1.IngestService_ReplayDeadLetters_FullMethodName:          operators,
	analyticsv1.ExportService_ExportReport_FullMethodName:               readers,
	analyticsv1.ExportService_GetOperation_FullMethodName:               readers,
	analyticsv1.ExportService_WaitOperation_FullMethodName:              readers,
	analyticsv1.ExportService_CancelOperation_FullMethodName:            readers,
	analyticsv1.ExportService_ListOperations_FullMethodName:             readers,
	analyticsv1.ExportService_DownloadExport_FullMethodName:             readers,
	analyticsv1.FactService_ListFacts_FullMethodName:                    readers,
	analyticsv1.FactService_GetCustomerFacts_FullMethodName:             readers,
	analyticsv1.FactService_RefreshFacts_FullMethodName:                 operators,
	analyticsv1.ScheduleService_ListSchedules_FullMethodName:            readers,
	analyticsv1.ScheduleService_ListScheduleRuns_FullMethodName:         readers,
	analyticsv1.ScheduleService_RunNow_FullMethodName:                   runners,
	analyticsv1.PerformanceService_CompareWithPlan_FullMethodName:       readers,
	analyticsv1.ProductMatrixService_GetProductMatrix_FullMethodName:    readers,
	analyticsv1.ProfileSchemeService_RunProfileScheme_FullMethodName:    runners,
	analyticsv1.ProfileSchemeService_DryRunProfileScheme_FullMethodName: authors,
	analyticsv1.ProfileSchemeService_GetProfileRun_FullMethodName:       readers,
	analyticsv1.ProfileSchemeService_ListProfileRuns_FullMethodName:     readers,
	analyticsv1.ProfileSchemeService_GetProfileMigration_FullMethodName: readers,
	analyticsv1.ProfileSchemeService_ExplainProfile_FullMethodName:      readers,
	analyticsv1.ReportService_GetCatalogue_FullMethodName:               readers,
	analyticsv1.ReportService_RunReport_FullMethodName:                  readers,
	analyticsv1.ReportService_DrillDown_FullMethodName:                  readers,
	analyticsv1.ReportService_ListReports_FullMethodName:                readers,
	analyticsv1.SegmentService_PreviewSegment_FullMethodName:            runners,
	analyticsv1.SegmentService_RunSegment_FullMethodName:                runners,
	analyticsv1.SegmentService_ListSegmentMembers_FullMethodName:        readers,
	analyticsv1.SegmentService_CombineSegments_FullMethodName:           runners,
	analyticsv1.SegmentService_CompareSegment_FullMethodName:            runners,
	analyticsv1.SegmentService_ListSegmentSizes_FullMethodName:          readers,
	analyticsv1.SegmentService_ExplainMembership_FullMethodName:         readers,
	analyticsv1.SegmentService_ListMembershipEvents_FullMethodName:      readers,
	analyticsv1.RfmService_GetRfmMigration_FullMethodName:               readers,
	analyticsv1.RfmService_GetRfmResponseRates_FullMethodName:           readers,
	analyticsv1.RfmService_ExplainRfm_FullMethodName:                    readers,
	analyticsv1.RfmService_RunRfm_FullMethodName:                        runners,
	analyticsv1.RfmService_GetRfmRun_FullMethodName:                     readers,
	analyticsv1.RfmService_ListRfmScores_FullMethodName:                 readers,
	analyticsv1.RunOperationService_StartRun_FullMethodName:             runners, // and whom the method of the run lets in
	analyticsv1.RunOperationService_GetRunOperation_FullMethodName:      runners,
	analyticsv1.RunOperationService_WaitRunOperation_FullMethodName:     runners,
	analyticsv1.RunOperationService_CancelRunOperation_FullMethodName:   runners,
	analyticsv1.RunOperationService_ListRunOperations_FullMethodName:    runners,
	analyticsv1.ScoreService_RunScore_FullMethodName:                    runners,
	analyticsv1.ScoreService_GetScoreRun_FullMethodName:                 readers,
	analyticsv1.ScoreService_ListScoreRuns_FullMethodName:               readers,
	analyticsv1.ScoreService_ListScores_FullMethodName:                  readers,
	analyticsv1.ScoreService_ExplainScore_FullMethodName:                readers,
	analyticsv1.ScoreService_TrainModel_FullMethodName:                  authors,
	analyticsv1.ScoreService_PromoteModel_FullMethodName:                authors,
	analyticsv1.ScoreService_GetModel_FullMethodName:                    readers,
	analyticsv1.ScoreService_ListModels_FullMethodName:                  readers,
}

// Unary refuses calls by principals without a role that the method needs.
func Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := Check(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

// Stream does the same for streams.
func Stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := Check(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(srv, stream)
}

// Check refuses a method to a principal without a role that it needs. Errors: PERMISSION_DENIED.
func Check(ctx context.Context, method string) error {
	if !strings.HasPrefix(method, "/tandem.") {
		return nil // health and reflection
	}
	roles := allowed[method]
	if principal, ok := auth.FromContext(ctx); ok && principal.Has(roles...) {
		return nil
	}
	return apperr.New(codes.PermissionDenied, ReasonPermissionDenied, "this method is for the roles %s", strings.Join(roles, ", "))
}
