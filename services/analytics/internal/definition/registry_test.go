package definition_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
)

func TestCompile(t *testing.T) {
	t.Parallel()
	kinds := definition.NewRegistry()
	kinds.Register(definition.KindRFM, func(_ context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
		if spec.GetRfm().GetWindowDays() == 13 {
			return []apperr.Violation{{Field: "window_days", Description: "brings bad luck to " + name}}, nil
		}
		return nil, nil
	})
	server := definition.NewServer(kinds)
	rfm := func(days int32) *definitionv1.Spec {
		return &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: &definitionv1.RfmDefinition{WindowDays: days}}}
	}
	answer, err := server.CompileDefinition(t.Context(), &analyticsv1.CompileDefinitionRequest{Spec: rfm(7)})
	if err != nil || answer.GetKind() != "rfm" {
		t.Fatalf("%v, %v", answer, err)
	}
	_, err = server.CompileDefinition(t.Context(), &analyticsv1.CompileDefinitionRequest{Name: "monthly", Spec: rfm(13)})
	var refused *apperr.Error
	if !errors.As(err, &refused) || refused.Violations[0] != (apperr.Violation{Field: "spec.rfm.window_days", Description: "brings bad luck to monthly"}) {
		t.Errorf("%v", err)
	}
	unknown := &definitionv1.Spec{Kind: &definitionv1.Spec_Clv{Clv: &definitionv1.ClvDefinition{}}}
	for _, spec := range []*definitionv1.Spec{unknown, {}} {
		if _, err := server.CompileDefinition(t.Context(), &analyticsv1.CompileDefinitionRequest{Spec: spec}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v gave %v", spec, err)
		}
	}
}
