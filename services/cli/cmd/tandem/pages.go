package main

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// listedPage is how many records of a list travel together.
const listedPage = 500

// askPages asks for page after page of a list, up to a limit of records (0 stands for all), and prints them as one answer.
func askPages[C any, Q, A proto.Message, T any](
	ctx context.Context, app *App, of service[C], limit int,
	call func(C, context.Context, Q, ...grpc.CallOption) (A, error), request Q, records func(A) []T, text func(io.Writer, A) error,
) error {
	read := func(client C, ctx context.Context, request Q, options ...grpc.CallOption) (A, error) {
		return pages(request, limit, records, func() (A, error) { return call(client, ctx, request, options...) })
	}
	return ask(ctx, app, of, listTimeout, read, request, text)
}

// pages makes one answer of many: lists stand one behind the other, the token of the next page is the last one. It turns the
// pages of the request, whose count is asked for once.
func pages[Q, A proto.Message, T any](request Q, limit int, records func(A) []T, read func() (A, error)) (all A, err error) {
	all = all.ProtoReflect().New().Interface().(A) //nolint:forcetypeassert // a message makes messages of its type
	for {
		size := listedPage
		if limit > 0 {
			size = min(limit-len(records(all)), listedPage)
		}
		set(request, "page_size", protoreflect.ValueOfInt32(int32(size)))
		page, err := read()
		if err != nil {
			return all, err
		}
		token := nextPage(page)
		set(all, "next_page_token", token)
		proto.Merge(all, page)
		if token.String() == "" || limit > 0 && len(records(all)) >= limit {
			return all, nil
		}
		set(request, "page_token", token)
		if count := fieldOf(request, "count"); count != nil {
			request.ProtoReflect().Clear(count)
		}
	}
}

func nextPage(page proto.Message) protoreflect.Value {
	return page.ProtoReflect().Get(fieldOf(page, "next_page_token"))
}

func set(m proto.Message, field protoreflect.Name, to protoreflect.Value) {
	m.ProtoReflect().Set(fieldOf(m, field), to)
}

func fieldOf(m proto.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.ProtoReflect().Descriptor().Fields().ByName(name)
}
