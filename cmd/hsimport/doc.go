// Command hsimport moves support history into Help Scout.
package main
