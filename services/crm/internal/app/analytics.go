package app

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/pkg/auth"
	"tandem.bank/services/crm/internal/definition"
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

// delegate asks analytics in the name of service accounts; nil without a key for it.
func (c *Config) delegate() (definition.Delegate, error) {
	if c.AnalyticsSigningKeyFile == "" {
		return nil, nil //nolint:nilnil // no key is not an error: service accounts are refused then
	}
	key, err := auth.ReadPrivateKey(c.AnalyticsSigningKeyFile)
	if err != nil {
		return nil, err
	}
	if c.AnalyticsSigningIssuer == "" {
		return nil, errors.New("needs an issuer in CRM_ANALYTICS_SIGNING_ISSUER")
	}
	return definition.NewDelegate(key, c.AnalyticsSigningIssuer, c.Auth.Audience), auth.CheckKey(key.Public())
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
