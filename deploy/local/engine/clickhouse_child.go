package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// keepaliveQuery keeps the server inside the library alive: when it ends, the server shuts down in good order.
// It opens the ports and then sleeps a second per row for ever; the setting lifts the limit on a block's sleep.
const keepaliveQuery = `SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM system.numbers
SETTINGS function_sleep_max_microseconds_per_block = 18000000000000000, max_block_size = 1, max_execution_time = 0
FORMAT Null`

// runClickHouse is the child: it serves until it is asked to stop or its parent is gone.
func runClickHouse(args []string, stop <-chan struct{}) error {
	if len(args) != 5 {
		return fmt.Errorf("%s: want LIBRARY CONFIG DATA PORT HTTPPORT, got %d arguments", clickhouseCommand, len(args))
	}
	library, config, data, port, httpPort := args[0], args[1], args[2], args[3], args[4]
	run, err := openClickHouse(library)
	if err != nil {
		return err
	}
	keyboard, err := useTerminal()
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	go func() {
		<-stop
		close(stopping)
		endClickHouse(net.JoinHostPort(loopback, httpPort), keyboard)
	}()

	failure := run([]string{
		"clickhouse", "--config-file=" + config, "--path=" + data,
		"--listen_host=" + loopback, "--tcp_port=" + port, "--http_port=" + httpPort,
		"--logger.console", "--log-level=warning",
		"--interactive", "--progress=off", "--progress-table=off", "--disable_suggestion", "--history_file=/dev/null",
		"--query", keepaliveQuery,
	})
	select {
	case <-stopping:
		return nil // the query was killed by us
	default:
		if failure == "" {
			failure = "the server ended by itself"
		}
		return errors.New(failure)
	}
}

// endClickHouse ends the queries and leaves the prompt that follows; when that does not help in time, it
// ends the process.
func endClickHouse(address string, keyboard io.Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout/2)
	if err := killQueries(ctx, address); err != nil {
		fmt.Fprintln(os.Stderr, "end the running queries:", err)
	}
	// What is typed before the prompt appears is lost, therefore it is typed until the process has ended.
	again := time.NewTicker(pingInterval)
	for ctx.Err() == nil {
		select {
		case <-again.C:
			_, _ = io.WriteString(keyboard, endOfInput) // no more than a try
		case <-ctx.Done():
		}
	}
	again.Stop()
	cancel()
	// What is on disk is whole at any moment, as after kill -9: leaving is better than staying for ever.
	os.Exit(1)
}

// killQueries asks the server to end the keepalive query, and all others, for which the shutdown would wait.
func killQueries(ctx context.Context, address string) error {
	body := strings.NewReader("KILL QUERY WHERE query_id != queryID() ASYNC")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// openClickHouse loads the library and returns its command line, which reports an error as text.
func openClickHouse(library string) (func(args []string) string, error) {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("open the ClickHouse library: %w", err)
	}
	var (
		setSignalHandlers func(enabled int32)
		queryCommandLine  func(argc int32, argv unsafe.Pointer) unsafe.Pointer
		resultError       func(result unsafe.Pointer) string
	)
	for name, function := range map[string]any{
		"chdb_set_signal_handlers_enabled": &setSignalHandlers,
		"chdb_query_cmdline":               &queryCommandLine,
		"chdb_result_error":                &resultError,
	} {
		if _, err := purego.Dlsym(handle, name); err != nil {
			return nil, fmt.Errorf("the ClickHouse library has no %s: %w", name, err)
		}
		purego.RegisterLibFunc(function, handle, name)
	}
	setSignalHandlers(0) // the signals of this process belong to Go

	return func(args []string) string {
		runtime.LockOSThread() // the server keeps state in its thread
		defer runtime.UnlockOSThread()
		argc, argv, pinner := cStrings(args)
		defer pinner.Unpin()
		result := queryCommandLine(argc, argv)
		if result == nil {
			return "the library gave no result"
		}
		return resultError(result)
	}, nil
}

// cStrings lays out the arguments as C's argc and argv. The memory stays put until the pinner is released.
func cStrings(args []string) (argc int32, argv0 unsafe.Pointer, pinner *runtime.Pinner) {
	pinner = new(runtime.Pinner)
	argv := make([]*byte, len(args)+1)
	for i, arg := range args {
		text := append([]byte(arg), 0)
		pinner.Pin(&text[0])
		argv[i] = &text[0]
		argc++
	}
	pinner.Pin(&argv[0])
	return argc, unsafe.Pointer(&argv[0]), pinner //nolint:gosec // G103: C takes no other kind of pointer
}
