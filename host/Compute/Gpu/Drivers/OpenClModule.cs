using System.Text;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>A program compiled by an OpenCL driver.</summary>
internal sealed unsafe class OpenClModule(OpenClContext context, nint program, string name) : DeviceModule
{
    private nint _program = program;

    public override DeviceKernel Kernel(string kernel)
    {
        int code;
        nint made;
        fixed (byte* text = Encoding.UTF8.GetBytes(kernel + '\0'))
            made = context.Functions.CreateKernel(_program, text, &code);
        context.Check(code, $"looking for {kernel} in {name}");
        return new OpenClKernel(context.Functions, made, kernel);
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _program, 0) is not 0 and var held)
            _ = context.Functions.ReleaseProgram(held);
    }
}

internal sealed unsafe class OpenClKernel(OpenClFunctions functions, nint kernel, string name) : DeviceKernel(name)
{
    private nint _kernel = kernel;

    public nint Handle => _kernel != 0 ? _kernel : throw new ObjectDisposedException(Name);

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _kernel, 0) is not 0 and var held)
            _ = functions.ReleaseKernel(held);
    }
}
