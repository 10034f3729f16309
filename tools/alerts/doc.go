// Package alerts has tests alone: they hold the alert rules and the dashboard against
// the list of the metrics that there are.
package alerts
