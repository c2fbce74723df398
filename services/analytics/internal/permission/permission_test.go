package permission

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// Every method has its line, and each role gets in exactly where its line says so.
func TestMatrix(t *testing.T) {
	t.Parallel()
	want := map[string]string{ // by role: manager, analyst, marketer, operations, administrator
		analyticsv1.AuditCopyService_StreamAuditBlockCopies_FullMethodName:  "   oa",
		analyticsv1.ClusterService_RunClustering_FullMethodName:             " nkoa",
		analyticsv1.ClusterService_GetClusteringRun_FullMethodName:          "mnkoa",
		analyticsv1.ClusterService_ListClusteringRuns_FullMethodName:        "mnkoa",
		analyticsv1.ClusterService_ListClusterMembers_FullMethodName:        "mnkoa",
		analyticsv1.ClusterService_ExplainCluster_FullMethodName:            "mnkoa",
		analyticsv1.ClvService_RunClv_FullMethodName:                        " nkoa",
		analyticsv1.ClvService_GetClvRun_FullMethodName:                     "mnkoa",
		analyticsv1.ClvService_ListClvRuns_FullMethodName:                   "mnkoa",
		analyticsv1.ClvService_ListClvValues_FullMethodName:                 "mnkoa",
		analyticsv1.ClvService_GetClvModel_FullMethodName:                   "mnkoa",
		analyticsv1.ClvService_ListClvModels_FullMethodName:                 "mnkoa",
		analyticsv1.ClvService_GetClvBacktest_FullMethodName:                "mnkoa",
		analyticsv1.ClvService_ExplainClv_FullMethodName:                    "mnkoa",
		analyticsv1.ClvService_GetClvSlices_FullMethodName:                  "mnkoa",
		analyticsv1.DefinitionService_CompileDefinition_FullMethodName:      " n  a",
		analyticsv1.AuditCopyService_StreamPublishedChanges_FullMethodName:  "   oa",
		analyticsv1.FactService_ListFacts_FullMethodName:                    "mnkoa",
		analyticsv1.FactService_GetCustomerFacts_FullMethodName:             "mnkoa",
		analyticsv1.FactService_RefreshFacts_FullMethodName:                 "   oa",
		analyticsv1.IngestService_AwaitIngested_FullMethodName:              "mnkoa",
		analyticsv1.IngestService_GetIngestStatus_FullMethodName:            "mnkoa",
		analyticsv1.IngestService_ListDeadLetters_FullMethodName:            "   oa",
		analyticsv1.IngestService_ReplayDeadLetters_FullMethodName:          "   oa",
		analyticsv1.ExportService_ExportReport_FullMethodName:               "mnkoa",
		analyticsv1.ExportService_GetOperation_FullMethodName:               "mnkoa",
		analyticsv1.ExportService_WaitOperation_FullMethodName:              "mnkoa",
		analyticsv1.ExportService_CancelOperation_FullMethodName:            "mnkoa",
		analyticsv1.ExportService_ListOperations_FullMethodName:             "mnkoa",
		analyticsv1.ExportService_DownloadExport_FullMethodName:             "mnkoa",
		analyticsv1.ScheduleService_ListSchedules_FullMethodName:            "mnkoa",
		analyticsv1.ScheduleService_ListScheduleRuns_FullMethodName:         "mnkoa",
		analyticsv1.ScheduleService_RunNow_FullMethodName:                   " nkoa",
		analyticsv1.PerformanceService_CompareWithPlan_FullMethodName:       "mnkoa",
		analyticsv1.ProductMatrixService_GetProductMatrix_FullMethodName:    "mnkoa",
		analyticsv1.ProfileSchemeService_RunProfileScheme_FullMethodName:    " nkoa",
		analyticsv1.ProfileSchemeService_DryRunProfileScheme_FullMethodName: " n  a",
		analyticsv1.ProfileSchemeService_GetProfileRun_FullMethodName:       "mnkoa",
		analyticsv1.ProfileSchemeService_ListProfileRuns_FullMethodName:     "mnkoa",
		analyticsv1.ProfileSchemeService_GetProfileMigration_FullMethodName: "mnkoa",
		analyticsv1.ProfileSchemeService_ExplainProfile_FullMethodName:      "mnkoa",
		analyticsv1.ReportService_GetCatalogue_FullMethodName:               "mnkoa",
		analyticsv1.ReportService_RunReport_FullMethodName:                  "mnkoa",
		analyticsv1.ReportService_DrillDown_FullMethodName:                  "mnkoa",
		analyticsv1.ReportService_ListReports_FullMethodName:                "mnkoa",
		analyticsv1.SegmentService_PreviewSegment_FullMethodName:            " nkoa",
		analyticsv1.SegmentService_RunSegment_FullMethodName:                " nkoa",
		analyticsv1.SegmentService_ListSegmentMembers_FullMethodName:        "mnkoa",
		analyticsv1.SegmentService_CombineSegments_FullMethodName:           " nkoa",
		analyticsv1.SegmentService_CompareSegment_FullMethodName:            " nkoa",
		analyticsv1.SegmentService_ListSegmentSizes_FullMethodName:          "mnkoa",
		analyticsv1.SegmentService_ExplainMembership_FullMethodName:         "mnkoa",
		analyticsv1.SegmentService_ListMembershipEvents_FullMethodName:      "mnkoa",
		analyticsv1.RfmService_GetRfmMigration_FullMethodName:               "mnkoa",
		analyticsv1.RfmService_GetRfmResponseRates_FullMethodName:           "mnkoa",
		analyticsv1.RfmService_ExplainRfm_FullMethodName:                    "mnkoa",
		analyticsv1.RfmService_RunRfm_FullMethodName:                        " nkoa",
		analyticsv1.RfmService_GetRfmRun_FullMethodName:                     "mnkoa",
		analyticsv1.RfmService_ListRfmScores_FullMethodName:                 "mnkoa",
		analyticsv1.RunOperationService_StartRun_FullMethodName:             " nkoa",
		analyticsv1.RunOperationService_GetRunOperation_FullMethodName:      " nkoa",
		analyticsv1.RunOperationService_WaitRunOperation_FullMethodName:     " nkoa",
		analyticsv1.RunOperationService_CancelRunOperation_FullMethodName:   " nkoa",
		analyticsv1.RunOperationService_ListRunOperations_FullMethodName:    " nkoa",
		analyticsv1.ScoreService_RunScore_FullMethodName:                    " nkoa",
		analyticsv1.ScoreService_GetScoreRun_FullMethodName:                 "mnkoa",
		analyticsv1.ScoreService_ListScoreRuns_FullMethodName:               "mnkoa",
		analyticsv1.ScoreService_ListScores_FullMethodName:                  "mnkoa",
		analyticsv1.ScoreService_ExplainScore_FullMethodName:                "mnkoa",
		analyticsv1.ScoreService_TrainModel_FullMethodName:                  " n  a",
		analyticsv1.ScoreService_PromoteModel_FullMethodName:                " n  a",
		analyticsv1.ScoreService_GetModel_FullMethodName:                    "mnkoa",
		analyticsv1.ScoreService_ListModels_FullMethodName:                  "mnkoa",
	}
	roles := []string{auth.RoleManager, auth.RoleAnalyst, auth.RoleMarketer, auth.RoleOperations, auth.RoleAdministrator}
	var methods int
	for _, service := range []*grpc.ServiceDesc{
		&analyticsv1.AuditCopyService_ServiceDesc, &analyticsv1.DefinitionService_ServiceDesc, &analyticsv1.ScheduleService_ServiceDesc,
		&analyticsv1.ClvService_ServiceDesc, &analyticsv1.IngestService_ServiceDesc, &analyticsv1.ReportService_ServiceDesc, &analyticsv1.ExportService_ServiceDesc, &analyticsv1.PerformanceService_ServiceDesc,
		&analyticsv1.RfmService_ServiceDesc, &analyticsv1.ScoreService_ServiceDesc, &analyticsv1.ClusterService_ServiceDesc, &analyticsv1.ProfileSchemeService_ServiceDesc, &analyticsv1.ProductMatrixService_ServiceDesc, &analyticsv1.SegmentService_ServiceDesc,
		&analyticsv1.FactService_ServiceDesc, &analyticsv1.RunOperationService_ServiceDesc,
	} {
		methods += len(service.Methods) + len(service.Streams)
	}
	if methods != len(want) || len(allowed) != len(want) {
		t.Fatalf("%d methods, %d in the table, %d in the test", methods, len(allowed), len(want))
	}
	may := func(method string, roles ...string) bool {
		err := Check(auth.WithPrincipal(context.Background(), auth.Principal{Subject: "eva", Roles: roles}), method)
		if err != nil && status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v", method, err)
		}
		return err == nil
	}
	for method, line := range want {
		for i, role := range roles {
			if may(method, role) != (line[i] != ' ') {
				t.Errorf("%s: %s is wrong", method, role)
			}
		}
		if may(method, auth.RoleFrontOffice) || may(method) || Check(context.Background(), method) == nil {
			t.Errorf("%s lets in the front office, or nobody in particular", method)
		}
	}
	if may("/tandem.analytics.v1.RfmService/Unknown", roles...) || !may("/grpc.health.v1.Health/Check") {
		t.Error("unknown methods must be closed, health open")
	}
}
