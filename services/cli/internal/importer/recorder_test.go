package importer

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// call is one batch as the client sent it.
type call struct {
	method       string
	importID     string
	validateOnly bool
	rows         []proto.Message
}

// recorder is a gRPC server that keeps what the client sends. It stores nothing and knows no rules: it answers each row
// as the test wants, or as created.
type recorder struct {
	// answer, when set, answers a batch in place of "created".
	answer func(call) ([]*crmv1.UpsertResult, error)

	mu      sync.Mutex
	calls   []call
	address string
	server  *grpc.Server
}

// startRecorder serves on a free port and returns a connection to it.
func startRecorder(t *testing.T, answer func(call) ([]*crmv1.UpsertResult, error)) (*recorder, *grpc.ClientConn) {
	t.Helper()
	r := &recorder{answer: answer, address: "127.0.0.1:0"}
	r.start(t)
	conn, err := grpc.NewClient(r.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.server.Stop()
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, conn
}

// start listens at the recorder's address, the first time at a free one.
func (r *recorder) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.Addr().String()
	r.server = grpc.NewServer(grpc.UnaryInterceptor(r.unary), grpc.StreamInterceptor(r.stream))
	crmv1.RegisterBranchServiceServer(r.server, crmv1.UnimplementedBranchServiceServer{})
	crmv1.RegisterProductServiceServer(r.server, crmv1.UnimplementedProductServiceServer{})
	crmv1.RegisterServiceLevelServiceServer(r.server, crmv1.UnimplementedServiceLevelServiceServer{})
	crmv1.RegisterAttributeServiceServer(r.server, crmv1.UnimplementedAttributeServiceServer{})
	crmv1.RegisterCustomerServiceServer(r.server, crmv1.UnimplementedCustomerServiceServer{})
	crmv1.RegisterRelationServiceServer(r.server, crmv1.UnimplementedRelationServiceServer{})
	crmv1.RegisterAccountServiceServer(r.server, crmv1.UnimplementedAccountServiceServer{})
	crmv1.RegisterCardServiceServer(r.server, crmv1.UnimplementedCardServiceServer{})
	crmv1.RegisterContractServiceServer(r.server, crmv1.UnimplementedContractServiceServer{})
	crmv1.RegisterConsentServiceServer(r.server, crmv1.UnimplementedConsentServiceServer{})
	crmv1.RegisterInteractionServiceServer(r.server, crmv1.UnimplementedInteractionServiceServer{})
	crmv1.RegisterInstalmentServiceServer(r.server, crmv1.UnimplementedInstalmentServiceServer{})
	crmv1.RegisterBehaviourServiceServer(r.server, crmv1.UnimplementedBehaviourServiceServer{})
	crmv1.RegisterTransactionServiceServer(r.server, crmv1.UnimplementedTransactionServiceServer{})
	crmv1.RegisterDocumentServiceServer(r.server, crmv1.UnimplementedDocumentServiceServer{})
	crmv1.RegisterBalanceServiceServer(r.server, crmv1.UnimplementedBalanceServiceServer{})
	server := r.server
	go func() { _ = server.Serve(listener) }()
}

// unary records any batch call and answers it in the type of its method.
func (r *recorder) unary(_ context.Context, request any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	results, err := r.record(info.FullMethod, request.(proto.Message))
	if err != nil {
		return nil, err
	}
	name := strings.ReplaceAll(strings.TrimPrefix(info.FullMethod, "/"), "/", ".")
	descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	output, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.(protoreflect.MethodDescriptor).Output().FullName())
	if err != nil {
		return nil, err
	}
	response := output.New()
	list := response.Mutable(response.Descriptor().Fields().ByName("results")).List()
	for _, result := range results {
		list.Append(protoreflect.ValueOfMessage(result.ProtoReflect()))
	}
	return response.Interface(), nil
}

// stream records the bundles of a stream.
func (r *recorder) stream(_ any, stream grpc.ServerStream, info *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
	for index := int64(0); ; index++ {
		request := &crmv1.StreamTransactionsRequest{}
		if err := stream.RecvMsg(request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		results, err := r.record(info.FullMethod, request.GetBatch())
		if err != nil {
			return err
		}
		if err := stream.SendMsg(&crmv1.StreamTransactionsResponse{BatchIndex: index, Results: results}); err != nil {
			return err
		}
	}
}

func (r *recorder) record(method string, request proto.Message) ([]*crmv1.UpsertResult, error) {
	message := request.ProtoReflect()
	fields := message.Descriptor().Fields()
	c := call{
		method: method[strings.LastIndex(method, "/")+1:], validateOnly: message.Get(fields.ByName("validate_only")).Bool(),
	}
	if field := fields.ByName("import_id"); field != nil {
		c.importID = message.Get(field).String()
	}
	list := message.Get(fields.ByNumber(1)).List()
	for i := range list.Len() {
		c.rows = append(c.rows, list.Get(i).Message().Interface())
	}
	r.mu.Lock()
	r.calls = append(r.calls, c)
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		return answer(c)
	}
	return created(c), nil
}

// recorded returns the calls so far.
func (r *recorder) recorded() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call{}, r.calls...)
}

// created answers each row of a batch as created.
func created(c call) []*crmv1.UpsertResult {
	results := make([]*crmv1.UpsertResult, len(c.rows))
	for i := range c.rows {
		results[i] = &crmv1.UpsertResult{Id: 1, Outcome: crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED}
	}
	return results
}

// ids lists the external ids of rows.
func ids(rows []proto.Message) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row.(keyed).GetKey().GetExternalId()
	}
	return out
}

var errDown = status.Error(codes.Unavailable, "down")
