package app

import (
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/pkg/auth"
)

// dialAnalytics opens the connection over which definitions are compiled. It connects with the first call, and analytics may
// be away then: crm needs it for nothing else.
func (c *Config) dialAnalytics() (*grpc.ClientConn, error) {
	transport, err := c.analyticsTransport()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(c.AnalyticsAddress, grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{
			// Found again soon after it was away.
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 2 * time.Second,
		}))
	if err != nil {
		return nil, fmt.Errorf("CRM_ANALYTICS_ADDRESS %q: %w", c.AnalyticsAddress, err)
	}
	return conn, nil
}

func (c *Config) analyticsTransport() (credentials.TransportCredentials, error) {
	if !c.AnalyticsTLS && c.AnalyticsCAFile == "" && c.AnalyticsCertFile == "" && c.AnalyticsKeyFile == "" {
		return insecure.NewCredentials(), nil
	}
	config, err := auth.ClientTLS(c.AnalyticsCAFile, c.AnalyticsCertFile, c.AnalyticsKeyFile)
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(config), nil
}
