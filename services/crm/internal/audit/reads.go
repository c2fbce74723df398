package audit

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
)

// entities are the records that services show, where the service has another name.
var entities = map[string]string{"customer360": entityCustomer, "search": entityCustomer, "audit": "audit_entry"}

// Holders returns the customers who hold accounts.
type Holders func(ctx context.Context, accountIDs []int64) (customerIDs []int64, err error)

// Reads puts every answer that shows customers on record before it is sent, whatever the method: it looks into the
// message for their numbers. What a change answers is known by the change's own entry.
type Reads struct {
	recorder *Recorder
	holders  Holders
}

// NewReads records by one recorder. holders tells whom an account is about.
func NewReads(recorder *Recorder, holders Holders) *Reads {
	return &Reads{recorder: recorder, holders: holders}
}

// Unary is an interceptor; who calls must stand in the context, so it comes after UnaryCaller.
func (r *Reads) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx, told := withChanges(ctx)
	answer, err := next(ctx, req)
	if err != nil {
		r.denied(ctx, info.FullMethod, req, err)
		return nil, err
	}
	if err := r.record(ctx, info.FullMethod, told, req, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// Stream does the same for each message that a stream sends.
func (r *Reads) Stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx, told := withChanges(stream.Context())
	err := next(srv, &readStream{ServerStream: stream, ctx: ctx, reads: r, method: info.FullMethod, told: told})
	r.denied(ctx, info.FullMethod, nil, err)
	return err
}

type readStream struct {
	grpc.ServerStream
	ctx    context.Context //nolint:containedctx // a stream hands out its context
	reads  *Reads
	method string
	told   *changes
}

func (s *readStream) Context() context.Context { return s.ctx }

func (s *readStream) SendMsg(answer any) error {
	if err := s.reads.record(s.ctx, s.method, s.told, nil, answer); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(answer)
}

// denied leaves an entry about a call that was refused, with whom it was to be about. It stays refused when the entry can't
// be written.
func (r *Reads) denied(ctx context.Context, method string, req any, err error) {
	var known *apperr.Error
	if !errors.As(err, &known) || known.Code != codes.PermissionDenied {
		return
	}
	entry := Entry{Action: Denied, Entity: entityOf(method)}
	if asked, ok := req.(proto.Message); ok {
		var meant shown
		meant.message(asked)
		entry.CustomerID, entry.CustomerIDs, entry.EntityID = meant.main, meant.others(), entityID(entry.Entity, req, asked)
	}
	_ = r.recorder.Record(ctx, entry)
}

// record leaves an entry when an answer shows customers whom no entry of the call names yet.
func (r *Reads) record(ctx context.Context, method string, told *changes, req, answer any) error {
	message, ok := answer.(proto.Message)
	if !ok || !strings.HasPrefix(method, "/tandem.") {
		return nil
	}
	var seen shown
	if asked, ok := req.(interface{ GetCustomerId() int64 }); ok && asked.GetCustomerId() != 0 {
		seen.main, seen.customers = asked.GetCustomerId(), []int64{asked.GetCustomerId()}
	}
	seen.message(message)
	if len(seen.accounts) > 0 && !told.any() {
		held, err := r.heldBy(ctx, told, compact(seen.accounts))
		if err != nil {
			return err
		}
		seen.customers = append(seen.customers, held...)
	}
	if len(seen.customers) == 0 || told.all(seen.customers) {
		return nil
	}
	entity := entityOf(method)
	entry := Entry{Action: Read, Entity: entity, CustomerID: seen.main, CustomerIDs: seen.others(), EntityID: entityID(entity, req, message)}
	entry.After = parts(req)
	if entry.CustomerID == 0 && len(entry.CustomerIDs) == 1 {
		entry.CustomerID, entry.CustomerIDs = entry.CustomerIDs[0], nil
	}
	if entity == entityCustomer && entry.EntityID == 0 {
		entry.EntityID = entry.CustomerID
	}
	return r.recorder.Record(ctx, entry)
}

// heldBy returns whom accounts are about; only what the call has not told is looked up.
func (r *Reads) heldBy(ctx context.Context, told *changes, accountIDs []int64) ([]int64, error) {
	customers, unknown := told.heldBy(accountIDs)
	if len(unknown) == 0 {
		return customers, nil
	}
	held, err := r.holders(ctx, unknown)
	return append(customers, held...), err
}

// parts renders what a read asked for, when that is not everything as it is.
func parts(req any) []byte {
	asked := struct {
		ReadMask []string `json:"read_mask,omitempty"`
		AsOf     string   `json:"as_of,omitempty"`
	}{}
	if r, ok := req.(interface{ GetReadMask() *fieldmaskpb.FieldMask }); ok {
		asked.ReadMask = r.GetReadMask().GetPaths()
	}
	if r, ok := req.(interface{ GetAsOf() *timestamppb.Timestamp }); ok && r.GetAsOf() != nil {
		asked.AsOf = r.GetAsOf().AsTime().Format(time.RFC3339Nano)
	}
	if asked.ReadMask == nil && asked.AsOf == "" {
		return nil
	}
	raw, err := json.Marshal(asked)
	if err != nil {
		return nil // texts can't fail
	}
	return raw
}

func compact(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// entityOf is the kind of record that a method shows: /tandem.crm.v1.AccountHolderService/… is "account_holder".
func entityOf(method string) string {
	service := path.Ext(path.Dir(method))
	service = strings.TrimSuffix(strings.TrimPrefix(service, "."), "Service")
	var b strings.Builder
	for i, letter := range service {
		if unicode.IsUpper(letter) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(letter))
	}
	name := b.String()
	if other, ok := entities[name]; ok {
		return other
	}
	return name
}

// entityID is the record that was shown: <entity>.<entity>_id of the answer, or <entity>_id of the request; 0 for a list.
func entityID(entity string, req any, answer proto.Message) int64 {
	m := answer.ProtoReflect()
	if field := m.Descriptor().Fields().ByName(protoreflect.Name(entity)); field != nil && field.Message() != nil && !field.IsList() {
		if id := numberOf(m.Get(field).Message(), entity+"_id"); id != 0 {
			return id
		}
	}
	if asked, ok := req.(proto.Message); ok {
		return numberOf(asked.ProtoReflect(), entity+"_id")
	}
	return 0
}

func numberOf(m protoreflect.Message, name string) int64 {
	field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if field == nil || field.Kind() != protoreflect.Int64Kind || field.IsList() {
		return 0
	}
	return m.Get(field).Int()
}
