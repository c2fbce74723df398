package grpcserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/grpcserver"
)

// authority signs certificates for this machine.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.file, _, a.key = issue(t, name, template, nil)
	text, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if a.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	return a
}

// leaf returns the files of a certificate for 127.0.0.1 and of its key.
func (a *authority) leaf(t *testing.T, name string) (cert, key string) {
	t.Helper()
	cert, key, _ = issue(t, name, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a)
	return cert, key
}

func issue(t *testing.T, name string, template *x509.Certificate, by *authority) (certFile, keyFile string, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, key
}

// Both sides show certificates; who has none, or one of somebody else's authority, does not come in.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	serverCert, serverKey := ours.leaf(t, "crm")
	clientCert, clientKey := ours.leaf(t, "importer")
	strangerCert, strangerKey := theirs.leaf(t, "stranger")
	for mode, withoutCert := range map[string]codes.Code{auth.ClientAuthRequire: codes.Unavailable, auth.ClientAuthOptional: codes.OK} {
		addr := serveTLS(t, auth.TLSSettings{CertFile: serverCert, KeyFile: serverKey, ClientCAFile: ours.file, ClientAuth: mode})
		for name, test := range map[string]struct {
			ca, cert, key string
			want          codes.Code
		}{
			"certificate":     {ours.file, clientCert, clientKey, codes.OK},
			"none":            {ours.file, "", "", withoutCert},
			"stranger":        {ours.file, strangerCert, strangerKey, codes.Unavailable},
			"unknown service": {theirs.file, clientCert, clientKey, codes.Unavailable},
		} {
			config, err := auth.ClientTLS(test.ca, test.cert, test.key)
			if err != nil {
				t.Fatal(err)
			}
			if got := check(t, addr, credentials.NewTLS(config)); got != test.want {
				t.Errorf("%s, %s: %s, want %s", mode, name, got, test.want)
			}
		}
		if got := check(t, addr, insecure.NewCredentials()); got != codes.Unavailable {
			t.Errorf("an open connection: %s", got)
		}
	}
}

func serveTLS(t *testing.T, settings auth.TLSSettings) string {
	t.Helper()
	config, err := settings.Server()
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	server, err := grpcserver.New(grpcserver.Config{Addr: addr, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return addr
}

func check(t *testing.T, addr string, transport credentials.TransportCredentials) codes.Code {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(transport))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return status.Code(err)
}
