package auth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// certificateInterval is how often the files are looked at, at most.
const certificateInterval = 10 * time.Second

// Server returns the TLS configuration of a server, nil for an open connection. A new certificate counts soon after its
// files have changed, without a restart.
func (s TLSSettings) Server() (*tls.Config, error) {
	if s.CertFile == "" {
		return nil, nil //nolint:nilnil // no TLS is a choice
	}
	pair := &keyPair{cert: s.CertFile, key: s.KeyFile}
	if _, err := pair.load(); err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.load() },
	}
	if s.ClientCAFile == "" {
		return config, nil
	}
	authorities, err := certificates(s.ClientCAFile)
	if err != nil {
		return nil, err
	}
	config.ClientCAs, config.ClientAuth = authorities, tls.RequireAndVerifyClientCert
	if s.ClientAuth == ClientAuthOptional {
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return config, nil
}

// ClientTLS returns the TLS configuration of a client. The authorities are those of the file, or the system's when it is
// empty; a certificate of its own is shown when there is one.
func ClientTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		authorities, err := certificates(caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = authorities
	}
	if (certFile == "") != (keyFile == "") {
		return nil, errors.New("a client certificate needs both its file and the file of its key")
	}
	if certFile != "" {
		pair := &keyPair{cert: certFile, key: keyFile}
		if _, err := pair.load(); err != nil {
			return nil, err
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.load() }
	}
	return config, nil
}

func certificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: holds no certificate in PEM", file)
	}
	return pool, nil
}

// keyPair is a certificate with its key, read again when the files change.
type keyPair struct {
	cert, key string

	mu      sync.Mutex
	loaded  *tls.Certificate
	looked  time.Time
	changed [2]int64
}

// load returns the newest certificate that fits its key: while its two files are being replaced, that is the old one.
func (p *keyPair) load() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.loaded != nil && now.Sub(p.looked) < certificateInterval {
		return p.loaded, nil
	}
	p.looked = now
	changed := [2]int64{fileTime(p.cert), fileTime(p.key)}
	if p.loaded != nil && changed == p.changed {
		return p.loaded, nil
	}
	fresh, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		if p.loaded != nil {
			return p.loaded, nil //nolint:nilerr // the old certificate serves until the new one is whole
		}
		return nil, err
	}
	p.loaded, p.changed = &fresh, changed
	return p.loaded, nil
}

// fileTime is when a file was last changed; zero when it can't be told.
func fileTime(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.ModTime().UnixNano()
}
