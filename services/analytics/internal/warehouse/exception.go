package warehouse

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Exception codes of ClickHouse (src/Common/ErrorCodes.cpp) that pass by themselves or once an operator acts: the same
// statement can succeed later. Codes, never texts: texts change with versions.
var temporaryCodes = map[int32]string{
	3:   "UNEXPECTED_END_OF_FILE",
	23:  "CANNOT_READ_FROM_ISTREAM",
	24:  "CANNOT_WRITE_TO_OSTREAM",
	60:  "UNKNOWN_TABLE", // dropped or not yet migrated: wait for the operator, don't throw data away
	74:  "CANNOT_READ_FROM_FILE_DESCRIPTOR",
	75:  "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
	76:  "CANNOT_OPEN_FILE",
	81:  "UNKNOWN_DATABASE",
	159: "TIMEOUT_EXCEEDED",
	160: "TOO_SLOW",
	164: "READONLY",
	173: "CANNOT_ALLOCATE_MEMORY",
	198: "DNS_ERROR",
	201: "QUOTA_EXCEEDED",
	202: "TOO_MANY_SIMULTANEOUS_QUERIES",
	203: "NO_FREE_CONNECTION",
	209: "SOCKET_TIMEOUT",
	210: "NETWORK_ERROR",
	218: "TABLE_IS_DROPPED",
	225: "NO_ZOOKEEPER",
	236: "ABORTED",
	241: "MEMORY_LIMIT_EXCEEDED",
	242: "TABLE_IS_READ_ONLY",
	243: "NOT_ENOUGH_SPACE",
	252: "TOO_MANY_PARTS",
	279: "ALL_CONNECTION_TRIES_FAILED",
	285: "TOO_FEW_LIVE_REPLICAS",
	319: "UNKNOWN_STATUS_OF_INSERT",
	373: "SESSION_IS_LOCKED",
	394: "QUERY_WAS_CANCELLED",
	410: "EXTERNAL_SERVER_IS_NOT_RESPONDING",
	425: "SYSTEM_ERROR",
	439: "CANNOT_SCHEDULE_TASK",
	497: "ACCESS_DENIED",
	516: "AUTHENTICATION_FAILED",
	667: "NOT_INITIALIZED",
	692: "TOO_MANY_MUTATIONS",
	733: "TABLE_IS_BEING_RESTARTED",
	734: "CANNOT_WRITE_AFTER_BUFFER_CANCELED",
	999: "KEEPER_EXCEPTION",
}

// Exception codes that blame the rows of an insert: sending them again can't help, leaving one of them out can.
var dataCodes = map[int32]string{
	6:   "CANNOT_PARSE_TEXT",
	27:  "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
	38:  "CANNOT_PARSE_DATE",
	41:  "CANNOT_PARSE_DATETIME",
	69:  "ARGUMENT_OUT_OF_BOUND",
	70:  "CANNOT_CONVERT_TYPE",
	72:  "CANNOT_PARSE_NUMBER",
	131: "TOO_LARGE_STRING_SIZE",
	321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
	349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
	407: "DECIMAL_OVERFLOW",
	469: "VIOLATED_CONSTRAINT",
	691: "UNKNOWN_ELEMENT_OF_ENUM",
}

// Temporary reports whether the same statement may succeed later: ClickHouse is away, full, busy, or waits for its
// operator. The end of the caller's context is not temporary.
func Temporary(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if exception, ok := errors.AsType[*clickhouse.Exception](err); ok {
		_, known := temporaryCodes[exception.Code]
		return known
	}
	// No exception of the server: then it is trouble on the way to it, or a fault of this program.
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, clickhouse.ErrAcquireConnTimeout) || errors.Is(err, clickhouse.ErrConnectionClosed)
}

// BadData reports whether the rows themselves were refused, by the server or already by the driver.
func BadData(err error) bool {
	if exception, ok := errors.AsType[*clickhouse.Exception](err); ok {
		_, known := dataCodes[exception.Code]
		return known
	}
	return errors.Is(err, clickhouse.ErrBatchInvalid) || errors.Is(err, errColumn)
}
