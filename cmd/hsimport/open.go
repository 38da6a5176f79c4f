package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"hsimport/configs"
	"hsimport/importer"
	"hsimport/importer/helpscout"
	"hsimport/sources/csvfile"
	"hsimport/sources/jsonfile"
	"hsimport/sources/mboxfile"
)

// Names of the environment that hold credentials. They come from nowhere else but a file; never from arguments, which
// every user of the machine can read.
const (
	appIDVariable           = "HELPSCOUT_APP_ID"
	appSecretVariable       = "HELPSCOUT_APP_SECRET"
	credentialsFileVariable = "HELPSCOUT_CREDENTIALS_FILE"
)

// copiesKept is how many copies of the checkpoint finished commands leave beside it.
const copiesKept = 3

// errNoCredentials says that the account cannot be asked.
var errNoCredentials = errors.New("no credentials: " + appIDVariable + " and " + appSecretVariable + " are not set")

// load reads the configuration.
func (a *app) load(path string) (*configs.Config, error) {
	c, err := configs.Load(path, a.env.lookup)
	if err == nil {
		return c, nil
	}
	var wrong *configs.Errors
	if errors.As(err, &wrong) {
		return nil, &importer.Stop{Code: importer.ExitUsage, Err: err}
	}
	hint := "hsimport init FILE... writes one"
	if !errors.Is(err, os.ErrNotExist) {
		hint = ""
	}
	return nil, &importer.Stop{Code: importer.ExitUsage, Err: err, Hint: hint}
}

// loadDecided is load for what reads the source: nothing begins while a person still has something to decide.
func (a *app) loadDecided(path string) (*configs.Config, error) {
	c, err := a.load(path)
	if err != nil || len(c.Unanswered) == 0 {
		return c, err
	}
	return nil, &importer.Stop{Code: importer.ExitUsage, Err: unansweredError(c), Hint: hintUnanswered}
}

// openSource opens and indexes the input.
func openSource(ctx context.Context, c *configs.Config) (importer.Source, error) {
	switch c.Source.Kind {
	case configs.CSV:
		return csvfile.Open(ctx, c.Source.CSV)
	case configs.JSON:
		return jsonfile.Open(ctx, c.Source.JSON)
	case configs.Mbox:
		return mboxfile.Open(ctx, c.Source.Mbox)
	}
	return nil, fmt.Errorf("source.kind %q is not known", c.Source.Kind)
}

// credentials finds the app's id and secret: in the environment, in a file, or for a sandbox on this machine the pair
// that every sandbox takes.
func (a *app) credentials(baseURL string) (id, secret string, err error) {
	id, secret = a.env.get(appIDVariable), a.env.get(appSecretVariable)
	if file := cmp.Or(a.credentialsFile, a.env.get(credentialsFileVariable)); file != "" && (id == "" || secret == "" || a.credentialsFile != "") {
		if id, secret, err = readCredentials(file); err != nil {
			return "", "", err
		}
	}
	switch {
	case id != "" && secret != "":
		return id, secret, nil
	case id == "" && secret == "" && onThisMachine(baseURL):
		return "sandbox", "sandbox", nil
	case id == "" && secret != "":
		return "", "", errors.New(appSecretVariable + " is set, but " + appIDVariable + " is not")
	case id != "":
		return "", "", errors.New(appIDVariable + " is set, but " + appSecretVariable + " is not")
	}
	return "", "", errNoCredentials
}

// readCredentials reads the two variables from a file of NAME=VALUE lines.
func readCredentials(path string) (id, secret string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", fmt.Errorf("read credentials: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export "), "=")
		if !ok {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch strings.TrimSpace(name) {
		case appIDVariable:
			id = value
		case appSecretVariable:
			secret = value
		}
	}
	if err := lines.Err(); err != nil {
		return "", "", fmt.Errorf("read credentials: %w", err)
	}
	if id == "" || secret == "" {
		return "", "", fmt.Errorf("%s: lines %s=... and %s=... are needed", path, appIDVariable, appSecretVariable)
	}
	return id, secret, nil
}

func onThisMachine(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// connect makes the client and the quota behind it.
func (a *app) connect(c *configs.Config) (*helpscout.Client, *importer.Quota, error) {
	id, secret, err := a.credentials(c.HelpScout.BaseURL)
	if err != nil {
		return nil, nil, err
	}
	share := float64(c.Run.Share)
	if share == 0 {
		share = 1
	}
	q := importer.NewQuota(share, c.Run.RateLimit)
	client, err := helpscout.New(helpscout.Options{
		BaseURL: c.HelpScout.BaseURL, AppID: id, AppSecret: secret, UserAgent: "hsimport/" + toolVersion(),
		Timeout: time.Duration(c.Run.Timeout), Observe: q.Observe, Grant: q.Read, Log: a.ui.log(),
	})
	return client, q, err
}

// job wires a configuration into a job. offline is the reason why there is no account behind it, or nil.
func (a *app) job(ctx context.Context, c *configs.Config) (job *importer.Job, offline error, err error) {
	client, quota, offline := a.connect(c)
	if offline != nil && !errors.Is(offline, errNoCredentials) {
		return nil, nil, &importer.Stop{Code: importer.ExitUsage, Err: offline}
	}
	a.ui.phase("reading " + strings.Join(c.Source.Paths, ", "))
	src, err := openSource(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	return &importer.Job{
		Source: src, Mapping: c.Mapping, Client: client, Quota: quota, Checkpoint: c.Checkpoint, Copies: copiesKept, Options: c.Run,
		Version: toolVersion(), Until: !c.Source.Until.IsZero(), Progress: a.ui.event, Log: a.ui.log(),
	}, offline, nil
}
