package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// finalStage is what the last stage of a Dockerfile says.
type finalStage struct {
	copies []copying
	config v1.Config
}

// copying is a COPY with one source.
type copying struct {
	from, source, target string
	owner                int
	text                 string
}

// readFinalStage reads the last stage, which has to begin with nothing (FROM scratch).
func readFinalStage(name string) (*finalStage, error) {
	text, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = text.Close() }() // it was only read
	parsed, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s has no stage", name)
	}
	last := stages[len(stages)-1]
	if last.BaseName != "scratch" {
		return nil, fmt.Errorf("%s: the last stage begins with %s, and not with scratch", name, last.BaseName)
	}
	final := &finalStage{config: v1.Config{Labels: map[string]string{}, ExposedPorts: map[string]struct{}{}, WorkingDir: "/"}}
	for _, command := range last.Commands {
		if err := final.add(command); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return final, nil
}

func (f *finalStage) add(command instructions.Command) error {
	switch c := command.(type) {
	case *instructions.CopyCommand:
		return f.addCopy(c)
	case *instructions.LabelCommand:
		for _, label := range c.Labels {
			f.config.Labels[unquoted(label.Key)] = unquoted(label.Value)
		}
	case *instructions.EnvCommand:
		for _, variable := range c.Env {
			f.config.Env = append(f.config.Env, variable.Key+"="+unquoted(variable.Value))
		}
	case *instructions.UserCommand:
		f.config.User = c.User
	case *instructions.ExposeCommand:
		for _, port := range c.Ports {
			f.config.ExposedPorts[port+"/tcp"] = struct{}{}
		}
	case *instructions.HealthCheckCommand:
		health := v1.HealthConfig{Test: c.Health.Test, Interval: c.Health.Interval, Timeout: c.Health.Timeout, StartPeriod: c.Health.StartPeriod, Retries: c.Health.Retries}
		f.config.Healthcheck = &health
	case *instructions.EntrypointCommand:
		f.config.Entrypoint = c.CmdLine
	case *instructions.CmdCommand:
		f.config.Cmd = c.CmdLine
	default:
		return fmt.Errorf("it is not known what %s means for the image", command.Name())
	}
	return nil
}

func (f *finalStage) addCopy(c *instructions.CopyCommand) error {
	if len(c.SourcePaths) != 1 || len(c.SourceContents) != 0 {
		return errors.New("a COPY has one source here")
	}
	step := copying{from: c.From, source: c.SourcePaths[0], target: c.DestPath, text: c.String()}
	if c.Chown != "" {
		user, group, _ := strings.Cut(c.Chown, ":")
		owner, err := strconv.Atoi(user)
		if err != nil || group != user {
			return fmt.Errorf("--chown=%s: give one number twice", c.Chown)
		}
		step.owner = owner
	}
	f.copies = append(f.copies, step)
	return nil
}

// unquoted takes the quotes away that the parser leaves.
func unquoted(text string) string { return strings.Trim(text, `"`) }
