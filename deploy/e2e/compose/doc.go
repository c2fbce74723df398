// Package compose holds the tests of docker-compose.yml and of the images it builds. They read files only, so that
// they run where there are no containers: what stands in the file is right, and the services know what they are told.
package compose
