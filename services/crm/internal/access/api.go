package access

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// apiPackage is the package of the contracts that the policy speaks of.
const apiPackage = "tandem.crm.v1"

// apiMethods returns the full names of all methods of the API, as gRPC has them, in the order of their files.
func apiMethods() []string {
	var methods []string
	protoregistry.GlobalFiles.RangeFilesByPackage(apiPackage, func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				methods = append(methods, "/"+string(service.FullName())+"/"+string(service.Methods().Get(j).Name()))
			}
		}
		return true
	})
	return methods
}

// shortMethod is "CustomerService/GetCustomer" for "/tandem.crm.v1.CustomerService/GetCustomer".
func shortMethod(method string) string { return strings.TrimPrefix(method, "/"+apiPackage+".") }

// apiMethod finds a method by any of the names that people give it; nil when there is none.
func apiMethod(name string) protoreflect.MethodDescriptor {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "/"), apiPackage+".")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(apiPackage + "." + strings.ReplaceAll(name, "/", ".")))
	if err != nil {
		return nil
	}
	method, _ := found.(protoreflect.MethodDescriptor)
	return method
}

func methodName(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}

// apiField finds a field by a name such as "Customer.phone"; nil when there is none.
func apiField(name string) protoreflect.FieldDescriptor {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(apiPackage + "." + name))
	if err != nil {
		return nil
	}
	field, _ := found.(protoreflect.FieldDescriptor)
	return field
}

// apiMessage finds a message by its short name; nil when there is none.
func apiMessage(name string) protoreflect.MessageDescriptor {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(apiPackage + "." + name))
	if err != nil {
		return nil
	}
	message, _ := found.(protoreflect.MessageDescriptor)
	return message
}

// fieldName is "Customer.phone" for a field of the API; fields of others' messages have their full names.
func fieldName(f protoreflect.FieldDescriptor) string {
	return strings.TrimPrefix(string(f.FullName()), apiPackage+".")
}
